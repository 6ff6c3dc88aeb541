/* A token is spent when it is on record, and stays spent for whoever opens the record next. */
#include "state_fixture.h"

#include "store/journal_head.h"
#include "store/journal_store.h"

enum { STEP = 30 };

struct login {
    struct spend_waiter waiter; /* first: the store hands it back */
    int told;
    enum spend_outcome outcome;
};

static void take_outcome(struct spend_waiter *waiter, enum spend_outcome outcome)
{
    struct login *login = (struct login *)waiter;

    login->told++;
    login->outcome = outcome;
}

/* A token minted so many steps after noon. */
static struct spend token(uint64_t name, int64_t step, unsigned window)
{
    return (struct spend){.id = {.low = name, .high = name * 31 + 7},
                          .first_step = noon / STEP + step,
                          .filing_step = noon / STEP + step,
                          .interval = STEP,
                          .window = window};
}

static struct spent_store *open_store(const struct state_fixture *fixture, struct moment now,
                                      const char **incomplete_r)
{
    struct spent_store *store = journal_store_create(fixture->directory, now, false, incomplete_r);

    assert_non_null(store);
    return store;
}

/* One that may vouch for everything: the first start is behind it. */
static struct spent_store *open_whole(const struct state_fixture *fixture, struct moment now)
{
    const char *incomplete = NULL;
    struct spent_store *store = open_store(fixture, after(-1000000), &incomplete);

    spent_store_destroy(&store);
    store = open_store(fixture, now, &incomplete);
    assert_null(incomplete);
    return store;
}

static void copy_between(int from, int to, const char *name)
{
    uint8_t content[FILE_MAX];
    ssize_t size = read_file(from, name, content);

    assert_true(size >= 0);
    write_file(to, name, content, (size_t)size);
}

static int copy_target;

static void copy_to_target(int directory, const char *name)
{
    copy_between(directory, copy_target, name);
}

/* Closes the store, but leaves the directory as a crash would: with what it held before. */
static void crash(const struct state_fixture *fixture, struct spent_store **store)
{
    void *parked = NULL;
    const struct state_fixture *other;

    set_up_state(&parked);
    other = parked;
    copy_target = other->directory;
    each_file(fixture->directory, copy_to_target);
    spent_store_destroy(store);
    empty_state(fixture);
    copy_target = fixture->directory;
    each_file(other->directory, copy_to_target);
    tear_down_state(&parked);
}

static enum spend_outcome spend_at(struct spent_store *store, struct spend spend, struct moment now)
{
    struct login login = {.waiter = {.resolve = take_outcome}};
    enum spend_outcome outcome = spent_store_spend(store, &spend, now, &login.waiter);

    if (outcome != SPEND_PENDING) {
        assert_int_equal(login.told, 0);
        return outcome;
    }
    assert_int_equal(login.told, 0);
    spent_store_commit(store, now);
    assert_int_equal(login.told, 1);
    return login.outcome;
}

/* Until the thread that syncs is over. */
static void await_sync(void)
{
    struct stat tasks = {0};

    do {
        assert_int_equal(stat("/proc/self/task", &tasks), 0);
        usleep(100);
    } while (tasks.st_nlink > 3);
}

/* As many seconds' ticks as it takes to sync a head and to let go of what it does not count. */
static void tick(struct spent_store *store, struct moment now)
{
    for (int i = 0; i < 20; i++) {
        spent_store_tick(store, now);
        await_sync();
    }
}

static void a_token_is_fresh_once_and_only_after_the_commit(void **state)
{
    struct spent_store *store = open_whole(*state, after(0));
    struct login one = {.waiter = {.resolve = take_outcome}};
    struct login two = {.waiter = {.resolve = take_outcome}};
    struct spend a = token(1, 0, 1);

    assert_int_equal(spent_store_spend(store, &a, after(0), &one.waiter), SPEND_PENDING);
    assert_int_equal(spent_store_spend(store, &a, after(0), &two.waiter), SPEND_REPLAYED);
    assert_int_equal(one.told, 0);
    spent_store_commit(store, after(0));
    assert_int_equal(one.told, 1);
    assert_int_equal(one.outcome, SPEND_FRESH);
    assert_int_equal(two.told, 0);
    spent_store_commit(store, after(0));
    assert_int_equal(one.told, 1);
    assert_int_equal(spend_at(store, a, after(1)), SPEND_REPLAYED);
    spent_store_destroy(&store);
}

static void who_still_waits_at_the_end_is_told_no_yes(void **state)
{
    struct spent_store *store = open_whole(*state, after(0));
    struct login login = {.waiter = {.resolve = take_outcome}};
    struct spend a = token(1, 0, 1);

    assert_int_equal(spent_store_spend(store, &a, after(0), &login.waiter), SPEND_PENDING);
    spent_store_destroy(&store);
    assert_int_equal(login.told, 1);
    assert_int_equal(login.outcome, SPEND_FAILED);
}

static void a_spent_token_stays_spent_across(void **state)
{
    static const struct {
        const char *name;
        bool crash;
    } rows[] = {{"a clean restart", false}, {"a crash", true}};

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct spent_store *store = open_whole(*state, after(0));
        const char *incomplete = NULL;

        for (uint64_t name = 1; name <= 200; name++)
            expect(spend_at(store, token(name, 0, 1), after(0)) == SPEND_FRESH, "%s: %d",
                   rows[i].name, (int)name);
        if (rows[i].crash)
            crash(*state, &store);
        else
            spent_store_destroy(&store);
        store = open_store(*state, after(1), &incomplete);
        expect(incomplete == NULL, "%s: %s", rows[i].name, incomplete);
        for (uint64_t name = 1; name <= 200; name++)
            expect(spend_at(store, token(name, 0, 1), after(1)) == SPEND_REPLAYED, "%s: %d",
                   rows[i].name, (int)name);
        expect(spend_at(store, token(201, 0, 1), after(1)) == SPEND_FRESH, "%s", rows[i].name);
        spent_store_destroy(&store);
        empty_state(*state);
    }
}

static void an_empty_directory_vouches_for_nothing_minted_before(void **state)
{
    const char *incomplete = NULL;
    struct spent_store *store = open_store(*state, after(0), &incomplete);

    assert_non_null(incomplete);
    assert_int_equal(spend_at(store, token(1, 1, 1), after(0)), SPEND_STARTING);
    assert_int_equal(spend_at(store, token(2, 2, 1), after(45)), SPEND_FRESH);
    assert_int_equal(
        spent_store_opens(store, &(struct spend){.interval = STEP, .window = 1}, after(0)),
        noon + 60);
    assert_int_equal(
        spent_store_opens(store, &(struct spend){.interval = STEP, .window = 1}, after(60)), 0);
    crash(*state, &store);
    /* Another start does not make up for what the first could not know. */
    incomplete = NULL;
    store = open_store(*state, after(50), &incomplete);
    assert_null(incomplete);
    assert_int_equal(spend_at(store, token(1, 1, 1), after(50)), SPEND_STARTING);
    assert_int_equal(spend_at(store, token(2, 2, 1), after(50)), SPEND_REPLAYED);
    assert_int_equal(spend_at(store, token(3, 2, 1), after(50)), SPEND_FRESH);
    spent_store_destroy(&store);
}

/* The lowest limit leaves room for the head and the count, not for a segment of one record. */
static void what_can_not_be_recorded_is_no_yes_and_can_be_tried_again(void **state)
{
    static const rlim_t limits[] = {0, 20, 32, 40, 71};

    for (size_t i = 0; i < LENGTH_OF(limits); i++) {
        struct spent_store *store = open_whole(*state, after(0));
        const char *incomplete = NULL;

        limit_files(limits[i]);
        for (int attempt = 0; attempt < 3; attempt++)
            expect(spend_at(store, token(1, 0, 1), after(attempt)) == SPEND_FAILED, "limit %d",
                   (int)limits[i]);
        unlimit_files();
        expect(store->failure != NULL, "limit %d", (int)limits[i]);
        expect(store->failures == 3, "limit %d", (int)limits[i]);
        expect(spend_at(store, token(1, 0, 1), after(3)) == SPEND_FRESH, "limit %d",
               (int)limits[i]);
        expect(store->failure == NULL, "limit %d", (int)limits[i]);
        crash(*state, &store);
        store = open_store(*state, after(4), &incomplete);
        expect(incomplete == NULL, "limit %d: %s", (int)limits[i], incomplete);
        expect(spend_at(store, token(1, 0, 1), after(4)) == SPEND_REPLAYED, "limit %d",
               (int)limits[i]);
        spent_store_destroy(&store);
        empty_state(*state);
    }
}

static void a_turn_that_fails_in_its_midst_fails_whole(void **state)
{
    struct spent_store *store = open_whole(*state, after(0));
    struct login logins[100];
    const char *incomplete = NULL;

    assert_int_equal(spend_at(store, token(1000, 0, 1), after(0)), SPEND_FRESH);
    limit_files(1000);
    for (size_t i = 0; i < LENGTH_OF(logins); i++) {
        struct spend spend = token(i + 1, 0, 1);

        logins[i] = (struct login){.waiter = {.resolve = take_outcome}};
        assert_int_equal(spent_store_spend(store, &spend, after(0), &logins[i].waiter),
                         SPEND_PENDING);
    }
    spent_store_commit(store, after(0));
    unlimit_files();
    for (size_t i = 0; i < LENGTH_OF(logins); i++)
        expect(logins[i].told == 1 && logins[i].outcome == SPEND_FAILED, "login %zu", i);
    crash(*state, &store);
    store = open_store(*state, after(1), &incomplete);
    assert_null(incomplete);
    assert_int_equal(spend_at(store, token(1000, 0, 1), after(1)), SPEND_REPLAYED);
    for (size_t i = 0; i < LENGTH_OF(logins); i++)
        expect(spend_at(store, token(i + 1, 0, 1), after(1)) == SPEND_FRESH, "login %zu", i);
    spent_store_destroy(&store);
}

/* The segment that was begun for a turn that failed is begun anew half a minute later. */
static void a_segment_without_records_is_not_let_go_under_the_one_that_follows(void **state)
{
    struct spent_store *store = open_whole(*state, after(-40));
    const char *incomplete = NULL;

    assert_int_equal(spend_at(store, token(9, -2, 1), after(-40)), SPEND_FRESH);
    limit_files(40);
    assert_int_equal(spend_at(store, token(1, 0, 1), after(0)), SPEND_FAILED);
    unlimit_files();
    assert_int_equal(spend_at(store, token(2, 1, 1), after(31)), SPEND_FRESH);
    tick(store, after(32));
    crash(*state, &store);
    store = open_store(*state, after(33), &incomplete);
    expect(incomplete == NULL, "%s", incomplete);
    assert_int_equal(spend_at(store, token(2, 1, 1), after(33)), SPEND_REPLAYED);
    spent_store_destroy(&store);
}

/* A record goes only when its step is closed: where a wider window keeps the step open, its oldest
 * segment stays. */
static void a_wider_window_reopens_nothing_that_was_spent_under_the_narrow_one(void **state)
{
    static const struct {
        const char *name;
        bool crash;
    } rows[] = {{"restart", false}, {"crash", true}};

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct spent_store *store = open_whole(*state, after(0));
        const char *incomplete = NULL;
        enum spend_outcome outcome;

        assert_int_equal(spend_at(store, token(1, 0, 1), after(0)), SPEND_FRESH);
        assert_int_equal(spend_at(store, token(2, 0, 10), after(35)), SPEND_FRESH);
        tick(store, after(70));
        outcome = spend_at(store, token(1, 0, 10), after(70));
        expect(outcome == SPEND_REPLAYED, "before the %s: %d", rows[i].name, outcome);
        if (rows[i].crash)
            crash(*state, &store);
        else
            spent_store_destroy(&store);
        store = open_store(*state, after(71), &incomplete);
        outcome = spend_at(store, token(1, 0, 10), after(71));
        expect(outcome == SPEND_REPLAYED || outcome == SPEND_CLOSED, "after the %s: %d",
               rows[i].name, outcome);
        spent_store_destroy(&store);
        empty_state(*state);
    }
}

static size_t segments_left;

static void count_segment(int directory, const char *name)
{
    (void)directory;
    segments_left += strncmp(name, "spent-", 6) == 0 ? 1 : 0;
}

/* Goes on until no segment is left, however long the machine takes to sync a head. */
static void tick_all_away(const struct state_fixture *fixture, struct spent_store *store,
                          struct moment now)
{
    int rounds = 0;

    do {
        assert_true(rounds++ < 500);
        tick(store, now);
        segments_left = 0;
        each_file(fixture->directory, count_segment);
    } while (segments_left > 0);
}

static void a_closed_step_stays_closed_for_the_next_start(void **state)
{
    struct spent_store *store = open_whole(*state, after(0));
    const char *incomplete = NULL;
    enum spend_outcome outcome;

    assert_int_equal(spend_at(store, token(1, 0, 1), after(0)), SPEND_FRESH);
    tick_all_away(*state, store, after(60));
    assert_int_equal(replay_index_usage(store->index).tokens, 0);
    crash(*state, &store);
    /* The wall clock is put back. */
    store = open_store(*state, clocks(10, 1100), &incomplete);
    assert_null(incomplete);
    outcome = spend_at(store, token(1, 0, 1), clocks(10, 1100));
    /* Replayed where the crash came before the disk had the head, and so before the file went. */
    expect(outcome == SPEND_CLOSED || outcome == SPEND_REPLAYED, "spent again: %d", outcome);
    assert_int_equal(spend_at(store, token(2, -1, 1), clocks(10, 1100)), SPEND_FRESH);
    assert_int_equal(spend_at(store, token(3, 1, 1), clocks(10, 1100)), SPEND_FRESH);
    spent_store_destroy(&store);
}

static void a_wall_clock_that_runs_ahead_drops_nothing(void **state)
{
    struct spent_store *store = open_whole(*state, after(0));
    const char *incomplete = NULL;

    assert_int_equal(spend_at(store, token(1, 0, 1), after(0)), SPEND_FRESH);
    tick(store, clocks(3600, 1005));
    assert_int_equal(spend_at(store, token(2, 120, 1), clocks(3600, 1005)), SPEND_FRESH);
    tick(store, clocks(3605, 1010));
    crash(*state, &store);
    store = open_store(*state, clocks(3606, 1011), &incomplete);
    assert_null(incomplete);
    tick(store, clocks(3607, 1012));
    /* And is put right. */
    assert_int_equal(spend_at(store, token(1, 0, 1), clocks(13, 1013)), SPEND_REPLAYED);
    assert_int_equal(spend_at(store, token(3, 0, 1), clocks(13, 1013)), SPEND_FRESH);
    /* Until the hour is really there. */
    tick(store, clocks(3600, 4600));
    assert_int_equal(spend_at(store, token(2, 120, 1), clocks(3601, 4601)), SPEND_REPLAYED);
    tick(store, clocks(3700, 4700));
    assert_int_equal(spend_at(store, token(2, 120, 1), clocks(3601, 4701)), SPEND_CLOSED);
    spent_store_destroy(&store);
}

static int spent_files;

static void count_spent(int directory, const char *name)
{
    (void)directory;
    spent_files += strncmp(name, "spent-", 6) == 0;
}

/* The head that no longer counts a file is to be on the disk before the file goes: that may take a
 * busy disk a while. */
static int files_left(const struct state_fixture *fixture, struct spent_store *store,
                      struct moment now, int at_most)
{
    for (int attempt = 0; attempt < 500; attempt++) {
        tick(store, now);
        spent_files = 0;
        each_file(fixture->directory, count_spent);
        if (spent_files <= at_most)
            break;
    }
    return spent_files;
}

static void nothing_is_left_over_after_the_window(void **state)
{
    const struct state_fixture *fixture = *state;
    struct spent_store *store = open_whole(fixture, after(0));

    for (int64_t second = 0; second < 600; second += 10) {
        assert_int_equal(
            spend_at(store, token((uint64_t)second + 1, second / STEP, 1), after(second)),
            SPEND_FRESH);
        spent_store_tick(store, after(second));
    }
    assert_in_range(files_left(fixture, store, after(600), 4), 1, 4);
    assert_int_equal(files_left(fixture, store, after(700), 0), 0);
    spent_store_destroy(&store);
}

/* The head as another boot would find it. */
static void change_boot(const struct state_fixture *fixture)
{
    struct journal_head head;

    assert_int_equal(journal_head_read(fixture->directory, &head), 0);
    head.boot_id[0] ^= 1;
    assert_int_equal(journal_head_write(fixture->directory, &head, false), 0);
}

static void another_boot_counts_a_clean_stop_alone(void **state)
{
    static const struct {
        const char *name;
        bool clean;
    } rows[] = {{"clean", true}, {"not clean", false}};

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct spent_store *store = open_whole(*state, after(0));
        const char *incomplete = NULL;
        enum spend_outcome outcome;

        assert_int_equal(spend_at(store, token(1, 0, 1), after(0)), SPEND_FRESH);
        if (rows[i].clean)
            spent_store_destroy(&store);
        else
            crash(*state, &store);
        change_boot(*state);
        store = open_store(*state, clocks(20, 5), &incomplete);
        expect((incomplete == NULL) == rows[i].clean, "%s: %s", rows[i].name, incomplete);
        outcome = spend_at(store, token(1, 0, 1), clocks(21, 6));
        expect(outcome == (rows[i].clean ? SPEND_REPLAYED : SPEND_STARTING), "%s: %d", rows[i].name,
               outcome);
        outcome = spend_at(store, token(2, 0, 1), clocks(21, 6));
        expect(outcome == (rows[i].clean ? SPEND_FRESH : SPEND_STARTING), "%s: %d", rows[i].name,
               outcome);
        /* The mark of the clean stop is gone: it counts for one start. */
        crash(*state, &store);
        change_boot(*state);
        incomplete = NULL;
        store = open_store(*state, clocks(25, 5), &incomplete);
        expect(incomplete != NULL, "%s", rows[i].name);
        expect(spend_at(store, token(2, 0, 1), clocks(25, 6)) == SPEND_STARTING, "%s",
               rows[i].name);
        spent_store_destroy(&store);
        empty_state(*state);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(a_token_is_fresh_once_and_only_after_the_commit),
        state_test(who_still_waits_at_the_end_is_told_no_yes),
        state_test(a_spent_token_stays_spent_across),
        state_test(an_empty_directory_vouches_for_nothing_minted_before),
        state_test(what_can_not_be_recorded_is_no_yes_and_can_be_tried_again),
        state_test(a_turn_that_fails_in_its_midst_fails_whole),
        state_test(a_segment_without_records_is_not_let_go_under_the_one_that_follows),
        state_test(a_wider_window_reopens_nothing_that_was_spent_under_the_narrow_one),
        state_test(a_closed_step_stays_closed_for_the_next_start),
        state_test(a_wall_clock_that_runs_ahead_drops_nothing),
        state_test(nothing_is_left_over_after_the_window),
        state_test(another_boot_counts_a_clean_stop_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
