/* Which step gave an OTP: against a look at every step. */
#include "vectors.h"

#include "token/otp_calendar.h"

struct counted {
    size_t calls;
    size_t fail_after;
    uint32_t modulus; /* a small one makes values recur */
};

static uint32_t otp_for(int64_t step, uint32_t modulus)
{
    uint64_t random = (uint64_t)step;

    return (uint32_t)(random_next(&random) % modulus);
}

static int compute(void *context, int64_t step, uint32_t *otp_r)
{
    struct counted *counted = context;

    if (counted->calls++ >= counted->fail_after)
        return -1;
    *otp_r = otp_for(step, counted->modulus);
    return 0;
}

/* The nearest step by looking at all of them, nearest first, the earlier of two as near. */
static bool naive_find(int64_t centre, size_t reach, uint32_t modulus, uint32_t otp,
                       int64_t *step_r)
{
    for (int64_t distance = 0; distance <= (int64_t)reach; distance++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            if (otp_for(centre + sign * distance, modulus) == otp) {
                *step_r = centre + sign * distance;
                return true;
            }
        }
    }
    return false;
}

static void the_nearest_step_is_found_wherever_the_centre_moves(void **state)
{
    static const size_t reaches[] = {1, 2, 3, 31, 32, 100};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(reaches); i++) {
        struct counted counted = {.fail_after = SIZE_MAX, .modulus = 97};
        struct otp_calendar *calendar = otp_calendar_create(reaches[i]);
        uint64_t random = 5;
        int64_t centre = 58000000;

        assert_non_null(calendar);
        for (int move = 0; move < 60; move++) {
            centre = move % 20 == 19 ? (int64_t)random_below(&random, 60) - 30
                                     : centre + (int64_t)random_below(&random, 7) - 3;
            assert_int_equal(otp_calendar_move(calendar, centre, compute, &counted), 0);
            for (uint32_t otp = 0; otp < 100; otp++) {
                int64_t step = 0, expected = 0;
                bool found = otp_calendar_find(calendar, otp, &step);

                expect(found == naive_find(centre, reaches[i], 97, otp, &expected),
                       "reach %zu, centre %lld, otp %u", reaches[i], (long long)centre, otp);
                expect(step == expected, "reach %zu, centre %lld, otp %u: %lld, not %lld",
                       reaches[i], (long long)centre, otp, (long long)step, (long long)expected);
            }
        }
        otp_calendar_destroy(&calendar);
        assert_null(calendar);
    }
}

static void nothing_is_found_beyond_the_reach(void **state)
{
    enum { REACH = 3121 };
    struct counted counted = {.fail_after = SIZE_MAX, .modulus = UINT32_MAX};
    struct otp_calendar *calendar = otp_calendar_create(REACH);
    int64_t centre = 58907520, step;

    (void)state;
    assert_non_null(calendar);
    assert_int_equal(otp_calendar_move(calendar, centre, compute, &counted), 0);
    assert_int_equal(counted.calls, 2 * REACH + 1);
    for (int64_t sign = -1; sign <= 1; sign += 2) {
        assert_true(otp_calendar_find(calendar, otp_for(centre + sign * REACH, UINT32_MAX), &step));
        assert_int_equal(step, centre + sign * REACH);
        assert_false(
            otp_calendar_find(calendar, otp_for(centre + sign * (REACH + 1), UINT32_MAX), &step));
    }
    otp_calendar_destroy(&calendar);
}

/* A flood of stale tokens costs no more than a flood of good ones. */
static void moving_along_computes_one_value_a_step_and_none_within_it(void **state)
{
    struct counted counted = {.fail_after = SIZE_MAX, .modulus = UINT32_MAX};
    struct otp_calendar *calendar = otp_calendar_create(500);

    (void)state;
    assert_int_equal(otp_calendar_move(calendar, 1000, compute, &counted), 0);
    counted.calls = 0;
    for (int64_t centre = 1001; centre <= 1100; centre++) {
        for (int question = 0; question < 10; question++)
            assert_int_equal(otp_calendar_move(calendar, centre, compute, &counted), 0);
    }
    assert_int_equal(counted.calls, 100);
    otp_calendar_destroy(&calendar);
}

static void a_failure_finds_nothing_until_it_is_moved_again(void **state)
{
    struct counted counted = {.fail_after = SIZE_MAX, .modulus = UINT32_MAX};
    struct otp_calendar *calendar = otp_calendar_create(10);
    int64_t step = -77;

    (void)state;
    assert_false(otp_calendar_find(calendar, otp_for(0, UINT32_MAX), &step));
    assert_int_equal(otp_calendar_move(calendar, 1000, compute, &counted), 0);
    counted = (struct counted){.fail_after = 3, .modulus = UINT32_MAX};
    assert_int_equal(otp_calendar_move(calendar, 1005, compute, &counted), -1);
    for (int64_t at = 990; at <= 1015; at++)
        expect(!otp_calendar_find(calendar, otp_for(at, UINT32_MAX), &step), "step %lld",
               (long long)at);
    assert_int_equal(step, -77);
    counted = (struct counted){.fail_after = SIZE_MAX, .modulus = UINT32_MAX};
    assert_int_equal(otp_calendar_move(calendar, 1005, compute, &counted), 0);
    for (int64_t at = 995; at <= 1015; at++) {
        expect(otp_calendar_find(calendar, otp_for(at, UINT32_MAX), &step), "step %lld",
               (long long)at);
        assert_int_equal(step, at);
    }
    otp_calendar_destroy(&calendar);
}

/* Whoever moves it pays for each, and gets no more than he can pay. */
static void an_approach_is_paid_for_by_what_it_computes(void **state)
{
    static const struct {
        int64_t move;
        int64_t otps, left;
        int result;
        size_t computed;
        bool whole;
    } rows[] = {
        {0, 0, 0, 0, 0, true},     {1, 1, 0, 0, 1, true},       {-1, 5, 4, 0, 1, true},
        {20, 20, 0, 0, 20, true},  {20, 19, 0, -1, 19, true},   {-20, 0, 0, -1, 0, true},
        {21, 21, 0, 0, 21, true},  {-22, 100, 79, 0, 21, true}, {21, 20, 1, 0, 19, false},
        {1000, 2, 1, 0, 1, false}, {-1000, 1, 0, 0, 1, false},  {1000, 0, 0, -1, 0, true},
    };
    int64_t centre = 58907520;

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct otp_calendar *calendar = otp_calendar_create(10);
        struct counted counted = {.fail_after = SIZE_MAX, .modulus = 97};
        int64_t otps = rows[i].otps;

        assert_int_equal(otp_calendar_move(calendar, centre, compute, &counted), 0);
        counted.calls = 0;
        expect(otp_calendar_approach(calendar, centre + rows[i].move, &otps, compute, &counted) ==
                   rows[i].result,
               "row %zu", i);
        expect(counted.calls == rows[i].computed, "row %zu: %zu", i, counted.calls);
        expect(otps == rows[i].left, "row %zu: %lld left", i, (long long)otps);
        expect(otp_calendar_is_whole(calendar) == rows[i].whole, "row %zu", i);
        otp_calendar_destroy(&calendar);
    }
}

/* One that doesn't reach as far as it is meant to goes on and grows at once. */
static void what_is_left_of_the_way_widens_it(void **state)
{
    static const struct {
        int64_t move;
        int64_t otps, left;
        size_t computed;
        int64_t before, behind; /* how far it reaches then from where it stood */
    } rows[] = {
        {0, 0, 0, 0, 2, 2},   {0, 1, 1, 0, 2, 2},  {0, 2, 0, 2, 3, 3},  {0, 5, 1, 4, 4, 4},
        {1, 1, 0, 1, 1, 3},   {1, 2, 1, 1, 1, 3},  {1, 3, 1, 2, 2, 4},  {-1, 3, 1, 2, 4, 2},
        {1, 5, 1, 4, 3, 5},   {-1, 5, 1, 4, 5, 3}, {4, 4, 0, 4, -2, 6}, {4, 6, 1, 5, -1, 7},
        {-4, 6, 1, 5, 7, -1},
    };
    int64_t centre = 58907520;

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct otp_calendar *calendar = otp_calendar_create(10);
        struct counted counted = {.fail_after = SIZE_MAX, .modulus = UINT32_MAX};
        int64_t otps = 5;

        /* Two to either side. */
        assert_int_equal(otp_calendar_approach(calendar, centre, &otps, compute, &counted), 0);
        assert_int_equal(counted.calls, 5);
        counted.calls = 0;
        otps = rows[i].otps;
        expect(otp_calendar_approach(calendar, centre + rows[i].move, &otps, compute, &counted) ==
                   0,
               "row %zu", i);
        expect(counted.calls == rows[i].computed, "row %zu: %zu", i, counted.calls);
        expect(otps == rows[i].left, "row %zu: %lld left", i, (long long)otps);
        for (int64_t way = -12; way <= 12; way++) {
            int64_t step = 0;

            expect(otp_calendar_find(calendar, otp_for(centre + way, UINT32_MAX), &step) ==
                       (-way <= rows[i].before && way <= rows[i].behind),
                   "row %zu: %lld steps on", i, (long long)way);
        }
        otp_calendar_destroy(&calendar);
    }
}

/* Where an empty one stands, too. */
static void the_first_steps_of_all_are_computed(void **state)
{
    struct counted counted = {.fail_after = SIZE_MAX, .modulus = UINT32_MAX};
    struct otp_calendar *calendar = otp_calendar_create(10);
    int64_t step = -1;

    (void)state;
    assert_int_equal(otp_calendar_move(calendar, 10, compute, &counted), 0);
    assert_true(otp_calendar_find(calendar, otp_for(0, UINT32_MAX), &step));
    assert_int_equal(step, 0);
    otp_calendar_destroy(&calendar);
}

static size_t memory_of(size_t reach)
{
    struct otp_calendar *calendar = otp_calendar_create(reach);
    size_t memory = otp_calendar_memory(calendar);

    otp_calendar_destroy(&calendar);
    return memory;
}

/* Its steps and no more, but for what makes a power of two; three numbers of four bytes for each. */
static void the_memory_is_for_the_reach_alone(void **state)
{
    (void)state;
    assert_int_equal(memory_of(127), memory_of(64));
    assert_int_equal(memory_of(128) - memory_of(127), 256 * 12);
    assert_int_equal(memory_of(4095) - memory_of(2047), 4096 * 12);
}

static void destroying_nothing_is_allowed(void **state)
{
    struct otp_calendar *none = NULL;

    (void)state;
    otp_calendar_destroy(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_step_is_found_wherever_the_centre_moves),
        cmocka_unit_test(nothing_is_found_beyond_the_reach),
        cmocka_unit_test(moving_along_computes_one_value_a_step_and_none_within_it),
        cmocka_unit_test(a_failure_finds_nothing_until_it_is_moved_again),
        cmocka_unit_test(an_approach_is_paid_for_by_what_it_computes),
        cmocka_unit_test(what_is_left_of_the_way_widens_it),
        cmocka_unit_test(the_first_steps_of_all_are_computed),
        cmocka_unit_test(the_memory_is_for_the_reach_alone),
        cmocka_unit_test(destroying_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
