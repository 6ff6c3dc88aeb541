/* How far settings reached that are no longer in force: what a start with an incomplete record must
 * not forget about them. */
#include "state_fixture.h"

#include "store/reach.h"
#include "store/spent_store.h"

static struct moment at(int64_t wall, int64_t boot)
{
    return (struct moment){.wall_ms = (noon + wall) * 1000, .boot_ms = boot * 1000};
}

static struct moment at_ms(int64_t wall, int64_t boot)
{
    return (struct moment){.wall_ms = noon * 1000 + wall, .boot_ms = boot};
}

static struct reach reach_of(uint64_t settings, int64_t v1, int64_t jsxc)
{
    return (struct reach){.settings = settings, .seconds = {v1, 0, jsxc}};
}

static void expect_former(const struct reach_history *history, int64_t v1, int64_t jsxc)
{
    assert_int_equal(history->former[0], v1);
    assert_int_equal(history->former[1], 0);
    assert_int_equal(history->former[2], jsxc);
}

static void begin(const struct state_fixture *fixture, struct reach_history *history_r,
                  struct reach reach, struct moment now)
{
    assert_int_equal(reach_begin(history_r, fixture->directory, &reach, now), 0);
    assert_int_equal(history_r->current.settings, reach.settings);
}

static void a_first_start_knows_of_no_others(void **state)
{
    struct reach_history history;

    begin(*state, &history, reach_of(1, 300, 3600), at(0, 100));
    expect_former(&history, 0, 0);
}

static void the_same_settings_again_change_nothing(void **state)
{
    struct reach_history history;

    begin(*state, &history, reach_of(1, 300, 3600), at(0, 100));
    begin(*state, &history, reach_of(1, 300, 3600), at(10, 110));
    expect_former(&history, 0, 0);
    assert_false(reach_follow(&history, &history.current, at(20, 120)));
}

static void those_before_count_after_a_restart_and_after_another(void **state)
{
    struct reach_history history;

    begin(*state, &history, reach_of(1, 300, 3600), at(0, 100));
    begin(*state, &history, reach_of(2, 30, 60), at(10, 110));
    expect_former(&history, 300, 3600);
    begin(*state, &history, reach_of(2, 30, 60), at(20, 120));
    expect_former(&history, 300, 3600);
    begin(*state, &history, reach_of(3, 450, 0), at(30, 130));
    expect_former(&history, 300, 3600);
    begin(*state, &history, reach_of(4, 0, 0), at(40, 140));
    expect_former(&history, 450, 3600);
}

static void those_before_a_reload_count_after_a_restart(void **state)
{
    const struct state_fixture *fixture = *state;
    struct reach_history history;

    begin(fixture, &history, reach_of(1, 300, 0), at(0, 100));
    assert_true(reach_follow(&history, &(struct reach){.settings = 2}, at(5, 105)));
    assert_int_equal(reach_write(&history, fixture->directory), 0);
    begin(fixture, &history, reach_of(2, 0, 0), at(10, 110));
    expect_former(&history, 300, 0);
}

/* A host's share of what is the furthest of all may have changed, and that may be as it was. */
static void another_hosts_reach_counts_though_the_furthest_is_the_same(void **state)
{
    struct reach_history history;

    begin(*state, &history, reach_of(1, 300, 0), at(0, 100));
    begin(*state, &history, reach_of(2, 300, 0), at(10, 110));
    expect_former(&history, 300, 0);
}

/* 3,600 s, and 15 minutes in which a token of a step can still be good. */
static void those_before_are_forgotten_when_both_clocks_say_that_they_are_over(void **state)
{
    static const struct {
        int64_t wall, boot;
        bool over;
    } rows[] = {
        {4510, 4610, false}, {4511, 4611, true},  {4511, 4610, false},
        {4510, 4611, false}, {99999, 200, false}, {-5000, 99999, false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct reach_history history = {.current = reach_of(1, 300, 3600)};

        (void)reach_follow(&history, &(struct reach){.settings = 2}, at(10, 110));
        reach_forget(&history, at(rows[i].wall, rows[i].boot));
        expect((history.former[2] == 0) == rows[i].over, "row %zu", i);
    }
}

/* The reach is the least that a window can be, for the bounds to be seen to the millisecond. */
static void those_before_are_good_for_a_quarter_of_an_hour_after_they_could_be_spent(void **state)
{
    static const struct {
        int64_t reach, milliseconds;
        bool over;
    } rows[] = {
        {1, 901000, false}, {1, 901001, true}, {3600, 4500000, false}, {3600, 4500001, true}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct reach_history history = {.current = reach_of(1, rows[i].reach, 0)};

        (void)reach_follow(&history, &(struct reach){.settings = 2}, at(0, 100));
        reach_forget(&history, at_ms(rows[i].milliseconds, 100000 + rows[i].milliseconds));
        expect((history.former[0] == 0) == rows[i].over, "row %zu", i);
    }
}

static void those_before_that_are_over_do_not_count_on_with_those_after_them(void **state)
{
    struct reach_history history = {.current = reach_of(1, 300, 3600)};
    const struct reach second = reach_of(2, 30, 0), third = reach_of(3, 60, 0);

    (void)state;
    assert_true(reach_follow(&history, &second, at(0, 100)));
    assert_true(reach_follow(&history, &third, at(4500, 4600)));
    expect_former(&history, 300, 3600);
    history = (struct reach_history){.current = reach_of(1, 300, 3600)};
    assert_true(reach_follow(&history, &second, at(0, 100)));
    assert_true(reach_follow(&history, &third, at(4501, 4601)));
    expect_former(&history, 30, 0);
}

/* A start with the same settings, after former ones had been given up at 0 s, boot clock 100 s. */
static struct reach_history started_again(const struct state_fixture *fixture, struct moment now)
{
    const struct reach before = reach_of(1, 3600, 0), after = reach_of(2, 0, 0);
    struct reach_history history;

    empty_state(fixture);
    begin(fixture, &history, before, at(-5, 95));
    begin(fixture, &history, after, at(0, 100));
    begin(fixture, &history, after, now);
    return history;
}

/* Held against the boot clock by a wall clock that has run far ahead: to the millisecond. */
static void what_the_wall_clock_told_at_a_start_counts_by_the_boot_clock_from_there(void **state)
{
    static const struct {
        const char *name;
        int64_t wall_ms, boot_ms; /* of the start */
        int64_t last_boot_ms;     /* at which they count */
    } rows[] = {
        {"another boot", 90000, 5000, 5000 + 4500000 - 90000},
        {"another boot, a moment later", 1, 5000, 5000 + 4500000 - 1},
        {"another boot, at the same time", 0, 5000, 5000 + 4500000},
        {"another boot, and the wall clock was set back", -70000, 5000, 5000 + 4500000},
        {"the same boot", 90000, 190000, 100000 + 4500000},
        {"a boot clock that shows just as much", 90000, 100000, 100000 + 4500000},
    };

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct moment start = at_ms(rows[i].wall_ms, rows[i].boot_ms);
        struct reach_history history = started_again(*state, start);

        reach_forget(&history, at_ms(INT64_C(1) << 40, rows[i].last_boot_ms));
        expect(history.former[0] == 3600, "%s: forgotten", rows[i].name);
        reach_forget(&history, at_ms(INT64_C(1) << 40, rows[i].last_boot_ms + 1));
        expect(history.former[0] == 0, "%s: not forgotten", rows[i].name);
    }
}

static void on_another_boot_the_wall_clock_alone_can_tell(void **state)
{
    struct reach_history history;

    begin(*state, &history, reach_of(1, 0, 3600), at(0, 100000));
    begin(*state, &history, reach_of(2, 0, 0), at(10, 100010));
    begin(*state, &history, reach_of(2, 0, 0), at(4500, 5));
    expect_former(&history, 0, 3600);
    reach_forget(&history, at(4510, 15));
    expect_former(&history, 0, 3600);
    reach_forget(&history, at(4511, 16));
    expect_former(&history, 0, 0);
}

static void a_damaged_file_counts_as_the_furthest_that_there_is(void **state)
{
    const struct state_fixture *fixture = *state;
    uint8_t whole[FILE_MAX], damaged[FILE_MAX];
    struct reach_history history;
    ssize_t size;

    begin(fixture, &history, reach_of(1, 30, 0), at(0, 100));
    size = read_file(fixture->directory, "reach", whole);
    assert_true(size > 0);
    for (ssize_t i = 0; i < size; i++) {
        memcpy(damaged, whole, (size_t)size);
        damaged[i] ^= 1;
        write_file(fixture->directory, "reach", damaged, (size_t)size);
        begin(fixture, &history, reach_of(1, 30, 0), at(10, 110));
        expect(history.former[0] == REACH_MAX && history.former[2] == REACH_MAX, "byte %zd", i);
        write_file(fixture->directory, "reach", whole, (size_t)i);
        begin(fixture, &history, reach_of(1, 30, 0), at(10, 110));
        expect(history.former[0] == REACH_MAX, "cut off at %zd", i);
    }
}

static void a_file_that_can_not_be_read_counts_as_the_furthest_that_there_is(void **state)
{
    const struct state_fixture *fixture = *state;
    struct reach_history history;

    assert_int_equal(mkdirat(fixture->directory, "reach", 0700), 0);
    assert_int_equal(
        reach_begin(&history, fixture->directory, &(struct reach){.settings = 7}, at(0, 100)), -1);
    assert_int_equal(history.former[0], REACH_MAX);
    assert_int_equal(history.former[2], REACH_MAX);
}

static void a_directory_that_can_not_be_written_is_an_error(void **state)
{
    struct reach_history history;

    (void)state;
    assert_int_equal(reach_begin(&history, -1, &(struct reach){.settings = 7}, at(0, 100)), -1);
    assert_int_equal(history.current.settings, 7);
}

/* --- what a store makes of it: an empty memory, started at 10 s past noon */

static struct spend token_of_step(int64_t step, unsigned window)
{
    return (struct spend){.id = {.low = (uint64_t)step + 100, .high = 1},
                          .first_step = noon / 30 + step,
                          .filing_step = noon / 30 + step,
                          .interval = 30,
                          .window = window,
                          .reach = window * 30};
}

static void tokens_are_doubted_as_far_as_former_settings_reached(void **state)
{
    struct spent_store *store = memory_store_create(at(10, 100), false);

    (void)state;
    assert_non_null(store);
    assert_int_equal(
        spent_store_begin_reach(store, -1, &(struct reach){.seconds = {300}}, at(10, 100)), 0);
    for (int64_t step = -2; step <= 20; step++)
        expect(spent_store_doubts(store, &(struct spend){.first_step = noon / 30 + step,
                                                         .interval = 30,
                                                         .window = 1,
                                                         .reach = 30}) == (step <= 1),
               "before: step %lld", (long long)step);
    spent_store_follow_reach(store, &(struct reach){.settings = 1, .seconds = {30}}, at(20, 110));
    assert_false(store->reach_is_unwritten); /* there is no directory */
    for (int64_t step = -2; step <= 20; step++) {
        const struct spend narrow = token_of_step(step, 1);
        const struct spend wide = token_of_step(step, 10);

        expect(spent_store_doubts(store, &narrow) == (step <= 10), "step %lld", (long long)step);
        expect(spent_store_doubts(store, &wide) == (step <= 10), "wide: %lld", (long long)step);
    }
    assert_int_equal(spent_store_opens(store,
                                       &(struct spend){.interval = 30, .window = 1, .reach = 30},
                                       at(20, 110)),
                     noon + INT64_C(330));
    spent_store_tick(store, at(20 + 300 + 901, 110 + 300 + 901));
    assert_false(spent_store_doubts(
        store,
        &(struct spend){.first_step = noon / 30 + 2, .interval = 30, .window = 1, .reach = 30}));
    spent_store_destroy(&store);
}

/* Part of a step is one more. */
static void a_former_reach_counts_in_whole_steps(void **state)
{
    static const struct {
        int64_t beyond, steps;
    } rows[] = {{-30, 0}, {0, 0}, {1, 1}, {2, 1}, {30, 1}, {31, 2}, {60, 2}, {61, 3}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const struct reach wide = {.seconds = {30 + rows[i].beyond}};
        struct spent_store *store = memory_store_create(at(10, 100), false);

        assert_non_null(store);
        assert_int_equal(spent_store_begin_reach(store, -1, &wide, at(10, 100)), 0);
        spent_store_follow_reach(store, &(struct reach){.settings = 1, .seconds = {30}},
                                 at(20, 110));
        for (int64_t step = 0; step <= 6; step++) {
            const struct spend token = token_of_step(step, 1);

            expect(spent_store_doubts(store, &token) == (step <= 1 + rows[i].steps),
                   "row %zu, step %lld", i, (long long)step);
        }
        spent_store_destroy(&store);
    }
}

static bool is_on_disk(const struct state_fixture *fixture)
{
    return faccessat(fixture->directory, "reach", F_OK, 0) == 0;
}

static void give_up_by_a_reload(const struct state_fixture *fixture, int directory)
{
    const struct reach wide = reach_of(1, 300, 0), narrow = reach_of(2, 30, 0);
    struct spent_store *store = memory_store_create(at(0, 100), false);
    struct reach_history history;

    assert_non_null(store);
    assert_int_equal(spent_store_begin_reach(store, directory, &wide, at(0, 100)), 0);
    assert_true(is_on_disk(fixture));
    empty_state(fixture);
    spent_store_tick(store, at(1, 101));
    assert_false(is_on_disk(fixture));

    spent_store_follow_reach(store, &narrow, at(2, 102));
    assert_int_equal(store->reach_directory, directory);
    store->reach_directory = -1;
    spent_store_tick(store, at(3, 103));
    store->reach_directory = directory;
    assert_false(is_on_disk(fixture));
    spent_store_tick(store, at(4, 104));
    begin(fixture, &history, narrow, at(5, 105));
    expect_former(&history, 300, 0);

    empty_state(fixture);
    spent_store_tick(store, at(6, 106));
    assert_false(is_on_disk(fixture));
    spent_store_destroy(&store);
}

/* A reload does not wait for the disk, and one that fails is no reason to forget. Descriptor 0 is one
 * as any other. */
static void what_a_reload_gives_up_is_written_at_the_next_tick_where_that_is_possible(void **state)
{
    const struct state_fixture *fixture = *state;

    give_up_by_a_reload(fixture, fixture->directory);
    assert_int_equal(dup2(fixture->directory, STDIN_FILENO), STDIN_FILENO);
    give_up_by_a_reload(fixture, STDIN_FILENO);
    close(STDIN_FILENO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(a_first_start_knows_of_no_others),
        state_test(the_same_settings_again_change_nothing),
        state_test(those_before_count_after_a_restart_and_after_another),
        state_test(those_before_a_reload_count_after_a_restart),
        state_test(another_hosts_reach_counts_though_the_furthest_is_the_same),
        cmocka_unit_test(those_before_are_forgotten_when_both_clocks_say_that_they_are_over),
        cmocka_unit_test(those_before_are_good_for_a_quarter_of_an_hour_after_they_could_be_spent),
        cmocka_unit_test(those_before_that_are_over_do_not_count_on_with_those_after_them),
        state_test(what_the_wall_clock_told_at_a_start_counts_by_the_boot_clock_from_there),
        state_test(on_another_boot_the_wall_clock_alone_can_tell),
        state_test(a_damaged_file_counts_as_the_furthest_that_there_is),
        state_test(a_file_that_can_not_be_read_counts_as_the_furthest_that_there_is),
        cmocka_unit_test(a_directory_that_can_not_be_written_is_an_error),
        cmocka_unit_test(tokens_are_doubted_as_far_as_former_settings_reached),
        cmocka_unit_test(a_former_reach_counts_in_whole_steps),
        state_test(what_a_reload_gives_up_is_written_at_the_next_tick_where_that_is_possible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
