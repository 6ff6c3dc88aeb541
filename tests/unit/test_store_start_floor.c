/* What an incomplete record can't vouch for: tokens minted up to the start. */
#include "vectors.h"

#include "store/start_floor.h"

static const int64_t noon = 1767225600; /* the first second of a step of 30 s */

/* A reading of the clocks: seconds after noon, and seconds after the boot. */
static struct moment at(int64_t wall, int64_t boot)
{
    return (struct moment){.wall_ms = (noon + wall) * 1000, .boot_ms = boot * 1000};
}

static void steps_up_to_the_starts_and_window_are_covered(void **state)
{
    static const struct {
        int64_t start; /* seconds after noon */
        unsigned interval, window;
        int64_t last_covered; /* steps after noon's */
    } rows[] = {
        {0, 30, 1, 1},   {29, 30, 1, 1}, {30, 30, 1, 2}, {-1, 30, 1, 0},   {0, 30, 0, 0},
        {0, 30, 10, 10}, {59, 60, 1, 1}, {60, 60, 1, 2}, {899, 900, 0, 0}, {900, 900, 0, 1},
        {0, 1, 0, 0},    {0, 1, 10, 10}, {45, 30, 2, 3},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        int64_t step_of_noon = noon / rows[i].interval;
        int64_t last = step_of_noon + rows[i].last_covered;
        struct start_floor floor;

        start_floor_set(&floor, at(rows[i].start, 1000));
        for (int64_t step = last - 20; step <= last + 20; step++)
            expect(start_floor_covers(&floor, step, rows[i].interval, rows[i].window) ==
                       (step <= last),
                   "row %zu, step %lld", i, (long long)(step - step_of_noon));
        expect(start_floor_opens(&floor, rows[i].interval, rows[i].window) ==
                   (last + 1) * rows[i].interval,
               "row %zu opens at %lld", i,
               (long long)start_floor_opens(&floor, rows[i].interval, rows[i].window));
    }
}

static void a_fraction_of_a_second_does_not_open_a_step_early(void **state)
{
    struct start_floor floor;

    (void)state;
    start_floor_set(&floor, (struct moment){.wall_ms = noon * 1000 + 29999, .boot_ms = 5});
    assert_int_equal(start_floor_opens(&floor, 30, 1), noon + 60);
    start_floor_set(&floor, (struct moment){.wall_ms = noon * 1000 + 30000, .boot_ms = 5});
    assert_int_equal(start_floor_opens(&floor, 30, 1), noon + 90);
    start_floor_set(&floor, (struct moment){.wall_ms = -1, .boot_ms = 5});
    assert_int_equal(start_floor_opens(&floor, 30, 0), 0);
}

static void an_inactive_floor_covers_nothing(void **state)
{
    struct start_floor floor = {0};

    (void)state;
    assert_false(start_floor_covers(&floor, 0, 30, 1));
    assert_false(start_floor_covers(&floor, -1000, 30, 1));
    start_floor_observe(&floor, at(0, 0));
    assert_false(start_floor_covers(&floor, 0, 30, 1));
}

static void time_that_passes_moves_nothing(void **state)
{
    struct start_floor floor;

    (void)state;
    start_floor_set(&floor, at(0, 1000));
    for (int64_t second = 0; second < 100000; second += 7)
        start_floor_observe(&floor, at(second, 1000 + second));
    assert_int_equal(start_floor_opens(&floor, 30, 1), noon + 60);
}

/* The start by the latest of all readings: where the clock was slow at the start and is put right,
 * tokens minted before the start are of later steps than it looked. */
static void clock_corrections_only_ever_raise_the_floor(void **state)
{
    static const struct {
        const char *name;
        struct {
            int64_t wall, boot; /* seconds after noon, after the boot; the first is the start */
        } readings[5];
        size_t count;
        int64_t start; /* what counts, seconds after noon */
    } rows[] = {
        {"no correction", {{0, 100}, {10, 110}}, 2, 0},
        {"an hour slow, put right", {{0, 100}, {3610, 110}}, 2, 3600},
        {"an hour fast, put right", {{0, 100}, {-3590, 110}}, 2, 0},
        {"fast, then right, then fast again", {{0, 100}, {-3590, 110}, {20, 120}}, 3, 0},
        {"slow, right, slow again", {{0, 100}, {3610, 110}, {20, 120}}, 3, 3600},
        {"slow, too fast, right", {{0, 100}, {7210, 110}, {3620, 120}}, 3, 7200},
        {"right in small steps", {{0, 100}, {11, 110}, {22, 120}, {33, 130}}, 4, 3},
        {"put right after long", {{0, 100}, {86400, 86500}, {90010, 86510}}, 3, 3600},
        {"from 1970 to now", {{-noon, 5}, {0, 15}}, 2, -10},
        {"suspended: both clocks go on", {{0, 100}, {50000, 50100}}, 2, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct start_floor floor;

        start_floor_set(&floor, at(rows[i].readings[0].wall, rows[i].readings[0].boot));
        for (size_t k = 0; k < rows[i].count; k++)
            start_floor_observe(&floor, at(rows[i].readings[k].wall, rows[i].readings[k].boot));
        expect(floor.start_wall_ms == (noon + rows[i].start) * 1000, "%s: %lld", rows[i].name,
               (long long)(floor.start_wall_ms / 1000 - noon));
        expect(floor.active, "%s", rows[i].name);
    }
}

/* The real course of time, seen by a clock that is off by an error that changes at random: whatever
 * it showed, a step that had a real token before the start is never let in once the clock is
 * right. */
static void a_token_minted_before_the_start_never_passes_under_a_right_clock(void **state)
{
    uint64_t random = 19;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        int64_t error = (int64_t)random_below(&random, 20000) - 10000;
        int64_t now = 0;
        struct start_floor floor;

        start_floor_set(&floor, at(error, 1000));
        for (int reading = 0; reading < 20; reading++) {
            now += (int64_t)random_below(&random, 600);
            if (random_below(&random, 4) == 0)
                error = (int64_t)random_below(&random, 20000) - 10000;
            if (random_below(&random, 3) == 0)
                error = 0;
            start_floor_observe(&floor, at(now + error, 1000 + now));
            if (error == 0) {
                /* Minted by a right clock at the start, up to one step ahead. */
                expect(start_floor_covers(&floor, noon / 30 + 1, 30, 1), "round %d, reading %d",
                       round, reading);
                expect(start_floor_covers(&floor, noon / 30, 30, 1), "round %d, reading %d", round,
                       reading);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_up_to_the_starts_and_window_are_covered),
        cmocka_unit_test(a_fraction_of_a_second_does_not_open_a_step_early),
        cmocka_unit_test(an_inactive_floor_covers_nothing),
        cmocka_unit_test(time_that_passes_moves_nothing),
        cmocka_unit_test(clock_corrections_only_ever_raise_the_floor),
        cmocka_unit_test(a_token_minted_before_the_start_never_passes_under_a_right_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
