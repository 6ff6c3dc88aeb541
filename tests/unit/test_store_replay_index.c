/* The spent tokens in memory, with a clock that the test moves. */
#include "vectors.h"

#include <errno.h>

#include "store/replay_index.h"
#include "store/signature_set.h"

#if !SANITIZED
static int allocations_until_short = -1; /* -1: memory is never short */

void *__libc_calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
    if (allocations_until_short == 0) {
        errno = ENOMEM;
        return NULL;
    }
    if (allocations_until_short > 0)
        allocations_until_short--;
    return __libc_calloc(count, size);
}
#endif

static const int64_t noon = 1767225600; /* the first second of a step of 1, 30, 60 and 900 s */
#define NOON_STEP (noon / 30)

/* A reading of the clocks: seconds after noon, and seconds after the boot. */
static struct moment at(int64_t wall, int64_t boot)
{
    return (struct moment){.wall_ms = (noon + wall) * 1000, .boot_ms = boot * 1000};
}

static struct signature_id id_of(uint64_t number)
{
    return (struct signature_id){.low = number * 7919, .high = number + 1};
}

/* A token of one step, counted from noon's; interval 30, window 1. */
static struct spend token_of(uint64_t number, int64_t step)
{
    return (struct spend){.id = id_of(number),
                          .first_step = NOON_STEP + step,
                          .filing_step = NOON_STEP + step,
                          .interval = 30,
                          .window = 1};
}

static enum spend_outcome spend(struct replay_index *index, struct spend spend, struct moment now)
{
    return replay_index_spend(index, &spend, now);
}

static struct replay_index *new_index(void)
{
    struct replay_index *index = replay_index_create();

    assert_non_null(index);
    return index;
}

static void a_token_is_spent_once(void **state)
{
    struct replay_index *index = new_index();

    (void)state;
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FRESH);
    for (int64_t second = 0; second < 60; second++)
        expect(spend(index, token_of(1, 0), at(second, 100 + second)) == SPEND_REPLAYED,
               "after %lld s", (long long)second);
    assert_int_equal(spend(index, token_of(2, 0), at(0, 100)), SPEND_FRESH);
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_REPLAYED);
    assert_int_equal(spend(index, token_of(2, 0), at(0, 100)), SPEND_REPLAYED);
    replay_index_destroy(&index);
    assert_null(index);
}

/* The peer's hole: a token with another OTP arrives, and the spent ones of the step before are
 * forgotten. */
static void a_spent_token_is_found_on_whatever_shelf(void **state)
{
    struct replay_index *index = new_index();
    struct spend other;

    (void)state;
    for (int64_t step = -20; step <= 20; step++)
        assert_int_equal(spend(index, token_of((uint64_t)step + 100, step), at(step * 30, 1000)),
                         SPEND_FRESH);
    for (int64_t step = -20; step <= 20; step++) {
        for (int64_t claimed = -21; claimed <= 21; claimed++)
            expect(spend(index, token_of((uint64_t)step + 100, claimed), at(claimed * 30, 1000)) ==
                       SPEND_REPLAYED,
                   "of step %lld, claimed as of %lld", (long long)step, (long long)claimed);
        other = token_of((uint64_t)step + 100, step);
        other.interval = 60;
        other.window = 10;
        expect(spend(index, other, at(0, 1000)) == SPEND_REPLAYED, "of step %lld, by minutes",
               (long long)step);
    }
    replay_index_destroy(&index);
}

/* A token of noon's step (window 1) is acceptable until 60 s after noon. */
static void a_record_is_dropped_when_both_clocks_say_that_its_window_is_over(void **state)
{
    static const struct {
        const char *name;
        int64_t spent_wall, spent_boot; /* seconds after noon, after the boot */
        int64_t wall, boot;             /* when old records are dropped */
        bool kept;
    } rows[] = {
        {"at once", 0, 100, 0, 100, true},
        {"within the window", 0, 100, 59, 159, true},
        {"at the end of the window", 0, 100, 60, 160, false},
        {"spent in the step before, for it was early", -30, 100, 59, 189, true},
        {"spent in the step before, at the end", -30, 100, 60, 190, false},
        {"spent in the last second", 59, 100, 60, 101, false},
        {"the wall clock runs ahead", 0, 100, 3600, 110, true},
        {"the wall clock runs ahead, boot clock just before", 0, 100, 3600, 159, true},
        {"the wall clock runs ahead, boot clock over too", 0, 100, 3600, 160, false},
        {"the wall clock is put back", 0, 100, -3600, 3700, true},
        {"the wall clock is put back, years pass", 0, 100, 59, 100000000, true},
        {"the wall clock stands still", 0, 100, 0, 1000, true},
        {"suspended: both go on", 0, 100, 50000, 50100, false},
        {"put back a little and passed again", 0, 100, 60, 175, false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct replay_index *index = new_index();
        struct replay_usage usage;

        assert_int_equal(spend(index, token_of(1, 0), at(rows[i].spent_wall, rows[i].spent_boot)),
                         SPEND_FRESH);
        replay_index_drop_old(index, at(rows[i].wall, rows[i].boot));
        usage = replay_index_usage(index);
        expect(usage.tokens == rows[i].kept, "%s: %zu tokens", rows[i].name, usage.tokens);
        expect(usage.shelves == rows[i].kept, "%s: %zu shelves", rows[i].name, usage.shelves);
        expect(spend(index, token_of(1, 0), at(0, rows[i].boot)) ==
                   (rows[i].kept ? SPEND_REPLAYED : SPEND_CLOSED),
               "%s", rows[i].name);
        replay_index_destroy(&index);
    }
}

static void records_are_dropped_to_the_millisecond(void **state)
{
    static const struct {
        int64_t wall_ms, boot_ms; /* after noon, after the boot */
        bool kept;
    } rows[] = {{59999, 160000, true}, {60000, 159999, true}, {60000, 160000, false}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct replay_index *index = new_index();

        assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FRESH);
        replay_index_drop_old(index, (struct moment){.wall_ms = noon * 1000 + rows[i].wall_ms,
                                                     .boot_ms = rows[i].boot_ms});
        expect(replay_index_usage(index).tokens == rows[i].kept, "row %zu", i);
        replay_index_destroy(&index);
    }
}

static void windows_and_intervals_of_every_size_end_where_the_token_ends(void **state)
{
    static const unsigned intervals[] = {1, 30, 60, 900};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(intervals); i++) {
        for (unsigned window = 0; window <= 10; window++) {
            struct replay_index *index = new_index();
            int64_t interval = intervals[i];
            struct spend token = {.id = id_of(1),
                                  .first_step = noon / interval,
                                  .filing_step = noon / interval,
                                  .interval = intervals[i],
                                  .window = window};
            int64_t over = (1 + (int64_t)window) * interval;

            assert_int_equal(spend(index, token, at(0, 100)), SPEND_FRESH);
            replay_index_drop_old(index, at(over - 1, 100 + over - 1));
            expect(replay_index_usage(index).tokens == 1, "interval %lld, window %u",
                   (long long)interval, window);
            replay_index_drop_old(index, at(over, 100 + over));
            expect(replay_index_usage(index).tokens == 0, "interval %lld, window %u",
                   (long long)interval, window);
            replay_index_destroy(&index);
        }
    }
}

static void a_record_is_kept_for_the_widest_window_of_all_hosts(void **state)
{
    struct replay_index *index = new_index();
    struct spend token = {.id = id_of(1),
                          .first_step = noon,
                          .filing_step = noon,
                          .interval = 1,
                          .window = 0,
                          .keep_window = 330};

    (void)state;
    assert_int_equal(spend(index, token, at(0, 100)), SPEND_FRESH);
    replay_index_drop_old(index, at(330, 430));
    assert_int_equal(replay_index_usage(index).tokens, 1);
    assert_int_equal(replay_index_closed(index)->count, 0);
    replay_index_drop_old(index, at(331, 431));
    assert_int_equal(replay_index_usage(index).tokens, 0);
    assert_int_equal(replay_index_closed(index)->count, 1);
    replay_index_destroy(&index);
}

static void the_last_token_of_a_shelf_keeps_all_of_it(void **state)
{
    struct replay_index *index = new_index();

    (void)state;
    /* Spent while the wall clock was 40 s ahead ... */
    assert_int_equal(spend(index, token_of(1, 0), at(50, 100)), SPEND_FRESH);
    /* ... and, on the same shelf, after it was put right. */
    assert_int_equal(spend(index, token_of(2, 0), at(10, 101)), SPEND_FRESH);
    replay_index_drop_old(index, at(60, 150));
    assert_int_equal(replay_index_usage(index).tokens, 2);
    replay_index_drop_old(index, at(60, 151));
    assert_int_equal(replay_index_usage(index).tokens, 0);
    replay_index_destroy(&index);
}

static void a_step_whose_record_is_gone_is_closed_and_its_unused_neighbours_are_not(void **state)
{
    struct replay_index *index = new_index();

    (void)state;
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FRESH);
    assert_int_equal(spend(index, token_of(2, 3), at(90, 190)), SPEND_FRESH);
    replay_index_drop_old(index, at(600, 700));
    assert_int_equal(replay_index_usage(index).shelves, 0);
    /* The clock is put back ten minutes: it was wrong. */
    assert_int_equal(spend(index, token_of(3, 0), at(0, 710)), SPEND_CLOSED);
    assert_int_equal(spend(index, token_of(1, 0), at(0, 710)), SPEND_CLOSED);
    assert_int_equal(spend(index, token_of(3, 3), at(90, 710)), SPEND_CLOSED);
    for (int64_t step = -5; step <= 8; step++) {
        if (step != 0 && step != 3)
            expect(spend(index, token_of(10 + (uint64_t)(step + 5), step), at(step * 30, 710)) ==
                       SPEND_FRESH,
                   "step %lld", (long long)step);
    }
    replay_index_destroy(&index);
}

static void a_wrong_clock_put_right_refuses_only_steps_that_had_logins(void **state)
{
    struct replay_index *index = new_index();

    (void)state;
    /* A day fast for a minute, in which two steps have logins. */
    assert_int_equal(spend(index, token_of(1, 2880), at(86400, 100)), SPEND_FRESH);
    assert_int_equal(spend(index, token_of(2, 2881), at(86430, 130)), SPEND_FRESH);
    /* Put right: everything goes on, and nothing of tomorrow is forgotten. */
    for (int64_t step = 2; step < 100; step++) {
        assert_int_equal(
            spend(index, token_of(1000 + (uint64_t)step, step), at(step * 30, 100 + step * 30)),
            SPEND_FRESH);
        replay_index_drop_old(index, at(step * 30, 100 + step * 30));
    }
    replay_index_drop_old(index, at(80000, 80100));
    assert_int_equal(replay_index_usage(index).tokens, 2);
    /* Tomorrow comes: the two are still spent, others of their steps are welcome. */
    assert_int_equal(spend(index, token_of(1, 2880), at(86400, 86500)), SPEND_REPLAYED);
    assert_int_equal(spend(index, token_of(3, 2880), at(86400, 86500)), SPEND_FRESH);
    replay_index_destroy(&index);
}

/* Where its OTP recurs a token stands for several steps: it may have been spent in any of them. */
static void a_token_that_stands_for_a_closed_step_too_is_refused(void **state)
{
    struct spend token = token_of(2, 2);
    struct replay_index *index = new_index();

    (void)state;
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FRESH);
    replay_index_drop_old(index, at(60, 160));
    for (int64_t first = -3; first <= 2; first++) {
        token.id = id_of((uint64_t)(first + 10));
        token.first_step = NOON_STEP + first;
        expect(spend(index, token, at(60, 160)) == (first <= 0 ? SPEND_CLOSED : SPEND_FRESH),
               "first step %lld", (long long)first);
    }
    replay_index_destroy(&index);
}

static void a_wider_window_never_reopens_time_before_the_change(void **state)
{
    struct spend token;
    struct replay_index *index = new_index();

    (void)state;
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FRESH);
    /* With window 10 the token would be acceptable again. Before its record is dropped: */
    token = token_of(1, 0);
    token.window = 10;
    assert_int_equal(spend(index, token, at(70, 170)), SPEND_REPLAYED);
    /* And after: */
    replay_index_drop_old(index, at(70, 170));
    assert_int_equal(spend(index, token, at(80, 180)), SPEND_CLOSED);
    token.id = id_of(2);
    assert_int_equal(spend(index, token, at(80, 180)), SPEND_CLOSED);
    /* A step that nobody logged in with is open to the wider window. */
    token = token_of(3, 1);
    token.window = 10;
    assert_int_equal(spend(index, token, at(200, 300)), SPEND_FRESH);
    /* A narrower one does not forget early what was spent under the wider. */
    replay_index_drop_old(index, at(330, 430));
    assert_int_equal(spend(index, token_of(3, 1), at(330, 430)), SPEND_REPLAYED);
    replay_index_drop_old(index, at(360, 460));
    assert_int_equal(replay_index_usage(index).tokens, 0);
    replay_index_destroy(&index);
}

static void another_interval_never_reopens_time_before_the_change(void **state)
{
    static const struct {
        unsigned interval;
        int64_t step; /* counted from noon's of that interval */
        enum spend_outcome outcome;
    } rows[] = {
        /* Closed are the 30 seconds from 30 to 60 after noon. */
        {30, 0, SPEND_FRESH},   {30, 1, SPEND_CLOSED}, {30, 2, SPEND_FRESH},
        {60, -1, SPEND_FRESH},  {60, 0, SPEND_CLOSED}, {60, 1, SPEND_FRESH},
        {10, 2, SPEND_FRESH},   {10, 3, SPEND_CLOSED}, {10, 5, SPEND_CLOSED},
        {10, 6, SPEND_FRESH},   {1, 29, SPEND_FRESH},  {1, 30, SPEND_CLOSED},
        {1, 59, SPEND_CLOSED},  {1, 60, SPEND_FRESH},  {900, 0, SPEND_CLOSED},
        {900, -1, SPEND_FRESH}, {900, 1, SPEND_FRESH},
    };
    struct replay_index *index = new_index();

    (void)state;
    assert_int_equal(spend(index, token_of(1, 1), at(30, 100)), SPEND_FRESH);
    replay_index_drop_old(index, at(90, 160));
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        int64_t step = noon / rows[i].interval + rows[i].step;
        struct spend token = {.id = id_of(i + 10),
                              .first_step = step,
                              .filing_step = step,
                              .interval = rows[i].interval,
                              .window = 1};

        expect(spend(index, token, at(90, 160)) == rows[i].outcome, "interval %u, step %lld",
               rows[i].interval, (long long)rows[i].step);
    }
    replay_index_destroy(&index);
}

static void steps_of_the_same_number_and_another_interval_have_shelves_of_their_own(void **state)
{
    struct replay_index *index = new_index();

    (void)state;
    /* Step 1000 of 30 s is over after 30060 s, step 1000 of 60 s after 60120 s. */
    for (unsigned interval = 30; interval <= 60; interval += 30) {
        struct spend token = {.id = id_of(interval),
                              .first_step = 1000,
                              .filing_step = 1000,
                              .interval = interval,
                              .window = 1};

        assert_int_equal(replay_index_spend(index, &token, (struct moment){.wall_ms = 0}),
                         SPEND_FRESH);
    }
    assert_int_equal(replay_index_usage(index).shelves, 2);
    replay_index_drop_old(index, (struct moment){.wall_ms = 30060000, .boot_ms = 30060000});
    assert_int_equal(replay_index_usage(index).tokens, 1);
    replay_index_drop_old(index, (struct moment){.wall_ms = 60120000, .boot_ms = 60120000});
    assert_int_equal(replay_index_usage(index).tokens, 0);
    replay_index_destroy(&index);
}

static void a_refusal_leaves_the_index_as_it_was(void **state)
{
    struct replay_index *index = new_index();
    struct replay_usage before, after;

    (void)state;
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FRESH);
    replay_index_drop_old(index, at(60, 160));
    assert_int_equal(spend(index, token_of(2, 2), at(60, 160)), SPEND_FRESH);
    before = replay_index_usage(index);
    for (uint64_t i = 0; i < 1000; i++) {
        assert_int_equal(spend(index, token_of(2, 2 + (int64_t)i), at(60, 160)), SPEND_REPLAYED);
        assert_int_equal(spend(index, token_of(100 + i, 0), at(60, 160)), SPEND_CLOSED);
    }
    after = replay_index_usage(index);
    assert_memory_equal(&before, &after, sizeof(before));
    /* A replay did not prolong the record either. */
    replay_index_drop_old(index, at(120, 220));
    assert_int_equal(replay_index_usage(index).tokens, 0);
    replay_index_destroy(&index);
}

/* A thousand logins a step for two hours and a half: what is kept is what the window holds. */
static void the_index_is_bounded_by_the_tokens_spent_in_the_window(void **state)
{
    struct replay_index *index = new_index();
    uint64_t number = 0;
    size_t most = 0, most_memory = 0;

    (void)state;
    for (int64_t step = 0; step < 300; step++) {
        struct replay_usage usage;

        replay_index_drop_old(index, at(step * 30, 100 + step * 30));
        for (int i = 0; i < 1000; i++) {
            struct spend token = token_of(++number, step + i % 3 - 1);

            /* The step before the first is nobody's, and one that is closed stays so. */
            assert_int_equal(spend(index, token, at(step * 30, 100 + step * 30)), SPEND_FRESH);
        }
        usage = replay_index_usage(index);
        most = usage.tokens > most ? usage.tokens : most;
        most_memory = usage.memory > most_memory ? usage.memory : most_memory;
        expect(usage.shelves <= 4, "step %lld: %zu shelves", (long long)step, usage.shelves);
    }
    expect(most <= 3000, "%zu tokens", most);
    expect(most_memory <= 48 * most, "%zu bytes for %zu tokens", most_memory, most);
    /* A signature's 16 bytes are the least. */
    expect(most_memory >= 16 * most, "%zu bytes for %zu tokens", most_memory, most);
    replay_index_drop_old(index, at(9060, 9160));
    assert_int_equal(replay_index_usage(index).tokens, 0);
    assert_int_equal(replay_index_usage(index).memory, 0);
    replay_index_destroy(&index);
}

static void shelves_are_dropped_a_step_at_a_time(void **state)
{
    struct replay_index *index = new_index();

    (void)state;
    for (int64_t step = 0; step < 10; step++) {
        for (uint64_t i = 0; i < 100; i++)
            assert_int_equal(spend(index, token_of((uint64_t)step * 100 + i, step), at(0, 100)),
                             SPEND_FRESH);
    }
    for (int64_t second = 0; second <= 400; second++) {
        size_t left = second < 60 ? 10 : second >= 330 ? 0 : (size_t)(10 - (second - 30) / 30);

        replay_index_drop_old(index, at(second, 100 + second));
        expect(replay_index_usage(index).shelves == left, "after %lld s: %zu shelves, not %zu",
               (long long)second, replay_index_usage(index).shelves, left);
        expect(replay_index_usage(index).tokens == left * 100, "after %lld s", (long long)second);
    }
    replay_index_destroy(&index);
}

static void dropping_says_whether_it_closed_anything(void **state)
{
    struct replay_index *index = new_index();

    (void)state;
    assert_false(replay_index_drop_old(index, at(0, 100)));
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FRESH);
    assert_false(replay_index_drop_old(index, at(59, 159)));
    assert_true(replay_index_drop_old(index, at(60, 160)));
    assert_false(replay_index_drop_old(index, at(61, 161)));
    replay_index_destroy(&index);
}

/* As a journal does when the daemon starts again. */
static void what_is_put_back_is_spent_until_its_window_is_over(void **state)
{
    static const struct {
        const char *name;
        int64_t restored_wall, restored_boot; /* seconds after noon, after the boot */
        int64_t over_boot;                    /* INT64_MIN: spent on another boot */
        int64_t wall, boot;                   /* when old records are dropped */
        bool kept;
    } rows[] = {
        {"same boot, within the window", 20, 120, 160, 59, 159, true},
        {"same boot, over", 20, 120, 160, 60, 160, false},
        {"same boot, over by the wall clock alone", 20, 120, 160, 3600, 159, true},
        {"another boot, within the window", 20, 5, INT64_MIN, 59, 44, true},
        {"another boot, over", 20, 5, INT64_MIN, 60, 45, false},
        {"another boot, wall clock ahead", 20, 5, INT64_MIN, 3600, 44, true},
        {"another boot, wall clock put back before", -600, 5, INT64_MIN, 60, 664, true},
        {"another boot, wall clock put back before, over", -600, 5, INT64_MIN, 60, 665, false},
        {"put back after its window", 100, 200, 160, 100, 200, false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct replay_index *index = new_index();
        struct spend token = token_of(1, 0);
        int64_t over_boot_ms =
            rows[i].over_boot == INT64_MIN ? INT64_MIN : rows[i].over_boot * 1000;

        replay_index_restore(index, &token, at(rows[i].restored_wall, rows[i].restored_boot),
                             over_boot_ms);
        assert_int_equal(replay_index_usage(index).tokens, 1);
        assert_int_equal(spend(index, token_of(1, 0), at(0, rows[i].restored_boot)),
                         SPEND_REPLAYED);
        replay_index_drop_old(index, at(rows[i].wall, rows[i].boot));
        expect(replay_index_usage(index).tokens == rows[i].kept, "%s", rows[i].name);
        expect(spend(index, token_of(1, 0), at(0, rows[i].boot)) ==
                   (rows[i].kept ? SPEND_REPLAYED : SPEND_CLOSED),
               "%s", rows[i].name);
        replay_index_destroy(&index);
    }
}

static void putting_back_twice_or_into_a_closed_step_keeps_the_token_once(void **state)
{
    struct closed_time closed = {0};
    struct replay_index *index = new_index();
    struct spend token = token_of(1, 0);

    (void)state;
    closed_time_add(&closed, (struct stretch){noon, noon + 30});
    replay_index_close(index, &closed);
    for (int i = 0; i < 3; i++)
        replay_index_restore(index, &token, at(0, 100), at(60, 160).boot_ms);
    assert_int_equal(replay_index_usage(index).tokens, 1);
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_REPLAYED);
    assert_int_equal(spend(index, token_of(2, 0), at(0, 100)), SPEND_CLOSED);
    replay_index_destroy(&index);
}

static void when_a_record_is_over_by_the_boot_clock_can_be_asked(void **state)
{
    struct spend token = token_of(1, 0);

    (void)state;
    assert_int_equal(spend_over_boot_ms(&token, at(0, 100)), 160000);
    assert_int_equal(spend_over_boot_ms(&token, at(59, 100)), 101000);
    assert_int_equal(spend_over_boot_ms(&token, at(-30, 100)), 190000);
    token.window = 10;
    assert_int_equal(spend_over_boot_ms(&token, at(0, 100)), 430000);
    token.filing_step += 2;
    assert_int_equal(spend_over_boot_ms(&token, at(0, 100)), 490000);
}

/* A segment of the journal is needed for as long as one of its moments is. */
static void a_step_is_touched_in_any_of_its_seconds_and_in_no_other(void **state)
{
    static const struct {
        int64_t begin, end; /* seconds after noon */
        bool touches;
    } rows[] = {
        {-30, 0, false}, {-30, 1, true},  {0, 1, true},    {29, 30, true},
        {29, 60, true},  {30, 31, false}, {30, 60, false}, {-1000, 1000, true},
    };
    struct replay_index *index = new_index();

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        assert_false(replay_index_touches(
            index, (struct stretch){noon + rows[i].begin, noon + rows[i].end}));
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FRESH);
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(replay_index_touches(index, (struct stretch){noon + rows[i].begin,
                                                            noon + rows[i].end}) == rows[i].touches,
               "row %zu", i);
    replay_index_destroy(&index);
}

static void what_is_closed_can_be_carried_to_another_index(void **state)
{
    struct replay_index *index = new_index(), *other = new_index();

    (void)state;
    assert_int_equal(replay_index_closed(index)->count, 0);
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FRESH);
    assert_int_equal(spend(index, token_of(2, 5), at(150, 250)), SPEND_FRESH);
    replay_index_drop_old(index, at(600, 700));
    assert_int_equal(replay_index_closed(index)->count, 2);
    assert_int_equal(spend(other, token_of(3, 9), at(270, 700)), SPEND_FRESH);
    replay_index_close(other, replay_index_closed(index));
    replay_index_close(other, replay_index_closed(index));
    assert_int_equal(replay_index_closed(other)->count, 2);
    for (int64_t step = -2; step < 8; step++) {
        enum spend_outcome expected = step == 0 || step == 5 ? SPEND_CLOSED : SPEND_FRESH;

        expect(spend(other, token_of((uint64_t)(step + 10), step), at(0, 700)) == expected,
               "step %lld", (long long)step);
    }
    assert_int_equal(spend(other, token_of(3, 9), at(270, 700)), SPEND_REPLAYED);
    replay_index_destroy(&index);
    replay_index_destroy(&other);
}

static void a_spend_that_is_taken_back_may_be_spent_again_and_closes_nothing(void **state)
{
    struct spend token = token_of(1, 0), elsewhere = token_of(2, 3);
    struct replay_index *index = new_index();

    (void)state;
    replay_index_forget(index, &token);
    assert_int_equal(spend(index, token, at(0, 100)), SPEND_FRESH);
    replay_index_forget(index, &token);
    assert_int_equal(replay_index_usage(index).tokens, 0);
    assert_int_equal(spend(index, token, at(0, 100)), SPEND_FRESH);
    assert_int_equal(spend(index, token, at(0, 100)), SPEND_REPLAYED);
    assert_int_equal(spend(index, elsewhere, at(90, 190)), SPEND_FRESH);
    replay_index_forget(index, &elsewhere);
    assert_int_equal(spend(index, token, at(0, 100)), SPEND_REPLAYED);
    assert_true(replay_index_drop_old(index, at(600, 700)));
    /* Nobody was let in with the step of what was taken back. */
    assert_int_equal(spend(index, token_of(3, 3), at(90, 710)), SPEND_FRESH);
    assert_int_equal(spend(index, token_of(4, 0), at(0, 710)), SPEND_CLOSED);
    replay_index_destroy(&index);
}

/* On another timeline a step is another time: what is closed on the one is open on the other, for
 * every length of step, and a token is known whatever timeline it is filed under. */
static void timelines_close_apart_and_know_each_others_tokens(void **state)
{
    (void)state;
    for (unsigned closed = 0; closed < SPEND_TIMELINES; closed++) {
        struct replay_index *index = new_index();
        struct spend token = token_of(1, 0);

        token.timeline = closed;
        assert_int_equal(spend(index, token, at(0, 100)), SPEND_FRESH);
        assert_true(replay_index_drop_old(index, at(600, 700)));
        for (unsigned timeline = 0; timeline < SPEND_TIMELINES; timeline++) {
            struct spend other = token_of(2 + timeline, 0);

            other.timeline = timeline;
            assert_int_equal(spend(index, other, at(0, 700)),
                             timeline == closed ? SPEND_CLOSED : SPEND_FRESH);
            other.timeline = (timeline + 1) % SPEND_TIMELINES;
            if (timeline != closed)
                assert_int_equal(spend(index, other, at(0, 700)), SPEND_REPLAYED);
            other.id = id_of(10 + timeline);
            other.timeline = timeline;
            other.interval = 1;
            other.first_step = other.filing_step = NOON_STEP * 30 + 29;
            assert_int_equal(spend(index, other, at(0, 700)),
                             timeline == closed ? SPEND_CLOSED : SPEND_FRESH);
        }
        replay_index_destroy(&index);
    }
}

#if !SANITIZED
static void a_token_that_could_not_be_recorded_is_not_spent(void **state)
{
    (void)state;
    /* Short at the shelf, and at the directory of what is on it. */
    for (int allocations = 0; allocations < 2; allocations++) {
        struct replay_index *index = new_index();

        allocations_until_short = allocations;
        assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FAILED);
        allocations_until_short = -1;
        assert_int_equal(replay_index_usage(index).tokens, 0);
        assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FRESH);
        assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_REPLAYED);
        replay_index_destroy(&index);
    }
}

static void a_step_in_which_nothing_could_be_recorded_is_not_closed(void **state)
{
    struct replay_index *index = new_index();

    (void)state;
    allocations_until_short = 1;
    assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_FAILED);
    allocations_until_short = -1;
    replay_index_drop_old(index, at(600, 700));
    assert_int_equal(replay_index_usage(index).shelves, 0);
    assert_int_equal(spend(index, token_of(1, 0), at(0, 710)), SPEND_FRESH);
    replay_index_destroy(&index);
}

static void a_token_that_could_not_be_put_back_closes_its_step(void **state)
{
    (void)state;
    for (int allocations = 0; allocations < 2; allocations++) {
        struct replay_index *index = new_index();
        struct spend token = token_of(1, 0);

        allocations_until_short = allocations;
        replay_index_restore(index, &token, at(0, 100), INT64_MIN);
        allocations_until_short = -1;
        assert_int_equal(replay_index_usage(index).tokens, 0);
        assert_int_equal(spend(index, token_of(1, 0), at(0, 100)), SPEND_CLOSED);
        assert_int_equal(spend(index, token_of(2, 0), at(0, 100)), SPEND_CLOSED);
        assert_int_equal(spend(index, token_of(3, 1), at(0, 100)), SPEND_FRESH);
        replay_index_destroy(&index);
    }
}

static void short_memory_forgets_nothing_that_was_spent(void **state)
{
    struct replay_index *index = new_index();
    size_t failed = 0;

    (void)state;
    for (uint64_t i = 0; i < 5000; i++) {
        struct spend token = token_of(i, 0);
        enum spend_outcome outcome;

        /* Of bits that differ from the lowest on, as a signature's: no more than it needs. */
        token.id.high = i;
        allocations_until_short = 0;
        outcome = spend(index, token, at(0, 100));
        allocations_until_short = -1;
        if (outcome == SPEND_FAILED) {
            failed++;
            assert_int_equal(spend(index, token, at(0, 100)), SPEND_FRESH);
        } else {
            assert_int_equal(outcome, SPEND_FRESH);
        }
        token = token_of(i / 2, 0);
        token.id.high = i / 2;
        expect(spend(index, token, at(0, 100)) == SPEND_REPLAYED, "%llu", (unsigned long long)i);
    }
    /* The shelf, and each time that the directory on it is too small: at 1,600 and at 3,200. */
    assert_int_equal(failed, 3);
    replay_index_destroy(&index);
}

/* One of so many tokens of noon's step that a set can't hold them all. Each 64 of them belong to one
 * leaf of the set, one after the other, so that this takes no time. */
static struct spend crowd_token(uint64_t number)
{
    struct spend token = token_of(number, 0);

    token.id.low = number << 26 ^ number * UINT64_C(0x9e3779b97f4a7c15) << 32;
    token.id.high = number << 56 | number >> 6;
    return token;
}

static void expect_spent(struct replay_index *index, uint64_t first, uint64_t end, uint64_t step)
{
    for (uint64_t number = first; number < end; number += step)
        expect(spend(index, crowd_token(number), at(0, 100)) == SPEND_REPLAYED, "token %llu",
               (unsigned long long)number);
}

/* The 16,777,216th login of a step is let in as any other, and none before it a second time. */
static void a_step_with_more_tokens_than_a_set_holds_goes_on_on_a_second_shelf(void **state)
{
    enum { FULL = SIGNATURE_SET_MAX, ALL = FULL + 1000 };
    static const uint64_t taken_back[] = {5, FULL - 1, FULL, ALL - 1};
    struct replay_index *index = new_index();

    (void)state;
    for (uint64_t number = 0; number < FULL; number++)
        expect(spend(index, crowd_token(number), at(0, 100)) == SPEND_FRESH, "token %llu",
               (unsigned long long)number);
    assert_int_equal(replay_index_usage(index).shelves, 1);
    /* Short at the second shelf, and at what is to be on it: the first loses nothing. */
    for (int allocations = 0; allocations < 2; allocations++) {
        allocations_until_short = allocations;
        assert_int_equal(spend(index, crowd_token(FULL), at(0, 100)), SPEND_FAILED);
        allocations_until_short = -1;
        assert_int_equal(replay_index_usage(index).tokens, FULL);
        expect_spent(index, 0, FULL, 9973);
    }
    /* Another step's stands in between. */
    assert_int_equal(spend(index, token_of(1, 1), at(0, 100)), SPEND_FRESH);
    for (uint64_t number = FULL; number < ALL; number++) {
        struct spend token = crowd_token(number);

        if (number % 2 == 0)
            replay_index_restore(index, &token, at(0, 100), INT64_MIN);
        else
            expect(spend(index, token, at(0, 100)) == SPEND_FRESH, "token %llu",
                   (unsigned long long)number);
    }
    assert_int_equal(replay_index_usage(index).shelves, 3);
    assert_int_equal(replay_index_usage(index).tokens, ALL + 1);
    expect_spent(index, 0, ALL, 7);
    expect_spent(index, FULL - 1000, ALL, 1);
    for (size_t i = 0; i < LENGTH_OF(taken_back); i++) {
        struct spend token = crowd_token(taken_back[i]);

        replay_index_forget(index, &token);
        assert_int_equal(replay_index_usage(index).tokens, ALL);
        expect_spent(index, 0, taken_back[i], 9973);
        assert_int_equal(spend(index, token, at(0, 100)), SPEND_FRESH);
        assert_int_equal(spend(index, token, at(0, 100)), SPEND_REPLAYED);
    }
    assert_int_equal(replay_index_usage(index).shelves, 3);
    /* Both are over at the same time, and what they close is one step. */
    assert_false(replay_index_drop_old(index, at(59, 159)));
    assert_int_equal(replay_index_usage(index).tokens, ALL + 1);
    assert_true(replay_index_drop_old(index, at(60, 160)));
    assert_int_equal(replay_index_usage(index).tokens, 1);
    assert_int_equal(replay_index_usage(index).shelves, 1);
    assert_int_equal(replay_index_closed(index)->count, 1);
    for (uint64_t number = FULL - 1000; number < ALL; number++)
        expect(spend(index, crowd_token(number), at(0, 170)) == SPEND_CLOSED, "token %llu",
               (unsigned long long)number);
    assert_int_equal(spend(index, token_of(1, 1), at(60, 160)), SPEND_REPLAYED);
    assert_int_equal(spend(index, token_of(2, 1), at(60, 160)), SPEND_FRESH);
    replay_index_destroy(&index);
}
#endif

/* The rules once more, as plainly as they can be written: a list of records, a list of shelves'
 * ends, a list of closed steps. */
enum { MODEL_MAX = 4096 };

struct model_shelf {
    int64_t step, over_wall, over_boot; /* seconds */
    unsigned interval;
    size_t tokens;
};

struct model {
    struct {
        uint64_t number;
        size_t shelf;
    } records[MODEL_MAX];
    struct model_shelf shelves[MODEL_MAX];
    struct {
        int64_t begin, end;
    } closed[MODEL_MAX];
    size_t record_count, shelf_count, closed_count;
};

static enum spend_outcome model_spend(struct model *model, uint64_t number,
                                      const struct spend *token, int64_t wall, int64_t boot)
{
    int64_t interval = token->interval;
    int64_t over = (token->filing_step + 1 + (int64_t)token->window) * interval - noon;
    size_t shelf = 0;

    for (size_t i = 0; i < model->record_count; i++) {
        if (model->records[i].number == number && model->shelves[model->records[i].shelf].tokens)
            return SPEND_REPLAYED;
    }
    for (int64_t second = token->first_step * interval;
         second < (token->filing_step + 1) * interval; second++) {
        for (size_t i = 0; i < model->closed_count; i++) {
            if (second >= model->closed[i].begin && second < model->closed[i].end)
                return SPEND_CLOSED;
        }
    }
    while (shelf < model->shelf_count &&
           (model->shelves[shelf].tokens == 0 || model->shelves[shelf].step != token->filing_step ||
            model->shelves[shelf].interval != token->interval))
        shelf++;
    if (shelf == model->shelf_count)
        model->shelves[model->shelf_count++] = (struct model_shelf){.step = token->filing_step,
                                                                    .interval = token->interval,
                                                                    .over_wall = INT64_MIN,
                                                                    .over_boot = INT64_MIN};
    model->shelves[shelf].tokens++;
    if (over > model->shelves[shelf].over_wall)
        model->shelves[shelf].over_wall = over;
    if (boot + over - wall > model->shelves[shelf].over_boot)
        model->shelves[shelf].over_boot = boot + over - wall;
    model->records[model->record_count].number = number;
    model->records[model->record_count++].shelf = shelf;
    return SPEND_FRESH;
}

static void model_drop_old(struct model *model, int64_t wall, int64_t boot)
{
    for (size_t i = 0; i < model->shelf_count; i++) {
        struct model_shelf *shelf = &model->shelves[i];

        if (shelf->tokens == 0 || wall < shelf->over_wall || boot < shelf->over_boot)
            continue;
        shelf->tokens = 0; /* its records count no more */
        model->closed[model->closed_count].begin = shelf->step * shelf->interval;
        model->closed[model->closed_count++].end = (shelf->step + 1) * shelf->interval;
    }
}

static size_t model_tokens(const struct model *model)
{
    size_t tokens = 0;

    for (size_t i = 0; i < model->shelf_count; i++)
        tokens += model->shelves[i].tokens;
    return tokens;
}

static void random_histories_agree_with_a_model(void **state)
{
    static const unsigned intervals[] = {30, 30, 30, 60, 7};
    static struct model model;
    size_t outcomes[SPEND_PENDING + 1] = {0};

    (void)state;
    for (uint64_t seed = 0; seed < 150; seed++) {
        struct replay_index *index = new_index();
        uint64_t random = 1000 + seed;
        int64_t wall = 0, boot = 100;
        unsigned interval = 30, window = 1;

        memset(&model, 0, sizeof(model));
        for (int action = 0; action < 400; action++) {
            switch (random_below(&random, 12)) {
            case 0: /* time passes */
            case 1: {
                int64_t passed = (int64_t)random_below(&random, 60);

                wall += passed;
                boot += passed;
                break;
            }
            case 2: /* the wall clock is set */
                if (random_below(&random, 4) == 0)
                    wall += (int64_t)random_below(&random, 1200) - 600;
                break;
            case 3: /* a reload */
                if (random_below(&random, 8) == 0) {
                    interval = intervals[random_below(&random, LENGTH_OF(intervals))];
                    window = (unsigned)random_below(&random, 4);
                }
                break;
            case 4:
            case 5:
                replay_index_drop_old(index, at(wall, boot));
                model_drop_old(&model, wall, boot);
                break;
            default: {
                uint64_t number = random_below(&random, 150);
                int64_t now = (noon + wall) / interval;
                int64_t step = now + (int64_t)random_below(&random, 2 * window + 1) - window;
                struct spend token = {.id = id_of(number),
                                      .first_step = step,
                                      .filing_step = step,
                                      .interval = interval,
                                      .window = window};
                enum spend_outcome outcome, expected;

                if (random_below(&random, 10) == 0)
                    token.filing_step += (int64_t)random_below(&random, 3);
                expected = model_spend(&model, number, &token, wall, boot);
                outcome = replay_index_spend(index, &token, at(wall, boot));
                expect(outcome == expected, "seed %llu, action %d: %d, not %d",
                       (unsigned long long)seed, action, outcome, expected);
                outcomes[outcome]++;
            }
            }
            expect(replay_index_usage(index).tokens == model_tokens(&model),
                   "seed %llu, action %d: %zu tokens, not %zu", (unsigned long long)seed, action,
                   replay_index_usage(index).tokens, model_tokens(&model));
        }
        replay_index_destroy(&index);
    }
    expect(outcomes[SPEND_FRESH] > 1000 && outcomes[SPEND_REPLAYED] > 1000 &&
               outcomes[SPEND_CLOSED] > 1000,
           "%zu fresh, %zu replayed, %zu closed", outcomes[SPEND_FRESH], outcomes[SPEND_REPLAYED],
           outcomes[SPEND_CLOSED]);
}

static void destroying_nothing_is_allowed(void **state)
{
    struct replay_index *none = NULL;

    (void)state;
    replay_index_destroy(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_spent_once),
        cmocka_unit_test(a_spent_token_is_found_on_whatever_shelf),
        cmocka_unit_test(a_record_is_dropped_when_both_clocks_say_that_its_window_is_over),
        cmocka_unit_test(records_are_dropped_to_the_millisecond),
        cmocka_unit_test(windows_and_intervals_of_every_size_end_where_the_token_ends),
        cmocka_unit_test(a_record_is_kept_for_the_widest_window_of_all_hosts),
        cmocka_unit_test(the_last_token_of_a_shelf_keeps_all_of_it),
        cmocka_unit_test(a_step_whose_record_is_gone_is_closed_and_its_unused_neighbours_are_not),
        cmocka_unit_test(a_wrong_clock_put_right_refuses_only_steps_that_had_logins),
        cmocka_unit_test(a_token_that_stands_for_a_closed_step_too_is_refused),
        cmocka_unit_test(a_wider_window_never_reopens_time_before_the_change),
        cmocka_unit_test(another_interval_never_reopens_time_before_the_change),
        cmocka_unit_test(steps_of_the_same_number_and_another_interval_have_shelves_of_their_own),
        cmocka_unit_test(a_refusal_leaves_the_index_as_it_was),
        cmocka_unit_test(the_index_is_bounded_by_the_tokens_spent_in_the_window),
        cmocka_unit_test(shelves_are_dropped_a_step_at_a_time),
        cmocka_unit_test(dropping_says_whether_it_closed_anything),
        cmocka_unit_test(what_is_put_back_is_spent_until_its_window_is_over),
        cmocka_unit_test(putting_back_twice_or_into_a_closed_step_keeps_the_token_once),
        cmocka_unit_test(when_a_record_is_over_by_the_boot_clock_can_be_asked),
        cmocka_unit_test(a_step_is_touched_in_any_of_its_seconds_and_in_no_other),
        cmocka_unit_test(what_is_closed_can_be_carried_to_another_index),
        cmocka_unit_test(a_spend_that_is_taken_back_may_be_spent_again_and_closes_nothing),
        cmocka_unit_test(timelines_close_apart_and_know_each_others_tokens),
#if !SANITIZED
        cmocka_unit_test(a_token_that_could_not_be_put_back_closes_its_step),
        cmocka_unit_test(a_token_that_could_not_be_recorded_is_not_spent),
        cmocka_unit_test(a_step_in_which_nothing_could_be_recorded_is_not_closed),
        cmocka_unit_test(short_memory_forgets_nothing_that_was_spent),
        cmocka_unit_test(a_step_with_more_tokens_than_a_set_holds_goes_on_on_a_second_shelf),
#endif
        cmocka_unit_test(random_histories_agree_with_a_model),
        cmocka_unit_test(destroying_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
