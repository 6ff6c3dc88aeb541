/* One reading of the clocks, and rounding down. */
#include "vectors.h"

#include <time.h>

#include "base/moment.h"

static void division_rounds_down_on_both_sides_of_zero(void **state)
{
    static const struct {
        int64_t numerator, denominator, quotient;
    } rows[] = {
        {0, 30, 0},
        {1, 30, 0},
        {29, 30, 0},
        {30, 30, 1},
        {59, 30, 1},
        {-1, 30, -1},
        {-29, 30, -1},
        {-30, 30, -1},
        {-31, 30, -2},
        {7, 1, 7},
        {-7, 1, -7},
        {INT64_MAX, 1, INT64_MAX},
        {INT64_MIN, 1, INT64_MIN},
        {INT64_MIN, INT64_MAX, -2},
        {INT64_MAX, INT64_MAX, 1},
        {-1, INT64_MAX, -1},
        {20000000000, 30, 666666666},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(floor_divide(rows[i].numerator, rows[i].denominator) == rows[i].quotient,
               "%lld / %lld", (long long)rows[i].numerator, (long long)rows[i].denominator);
}

static void seconds_are_rounded_down_before_1970_too(void **state)
{
    static const struct {
        int64_t wall_ms, seconds;
    } rows[] = {{0, 0},     {1, 0},      {999, 0},    {1000, 1},
                {-1, -1},   {-1000, -1}, {-1001, -2}, {1767225600999, 1767225600},
                {-999, -1}, {59999, 59}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(moment_seconds((struct moment){.wall_ms = rows[i].wall_ms}) == rows[i].seconds,
               "%lld ms", (long long)rows[i].wall_ms);
}

static void the_wall_clock_is_the_systems(void **state)
{
    time_t before = time(NULL);
    struct moment now = moment_now();
    time_t after = time(NULL);

    (void)state;
    /* time() reads a coarse clock, which may be some milliseconds behind. */
    assert_true(moment_seconds(now) >= before && moment_seconds(now) <= after + 1);
}

static void the_boot_clocks_milliseconds_are_of_the_same_reading(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        struct moment now = moment_now();

        expect(now.boot_ms == now.boot_ns / 1000000, "reading %d", i);
    }
}

static void the_boot_clock_never_goes_back(void **state)
{
    struct moment last = moment_now();

    (void)state;
    assert_true(last.boot_ms > 0);
    for (int i = 0; i < 10000; i++) {
        struct moment now = moment_now();

        expect(now.boot_ms >= last.boot_ms, "reading %d", i);
        last = now;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(division_rounds_down_on_both_sides_of_zero),
        cmocka_unit_test(seconds_are_rounded_down_before_1970_too),
        cmocka_unit_test(the_wall_clock_is_the_systems),
        cmocka_unit_test(the_boot_clocks_milliseconds_are_of_the_same_reading),
        cmocka_unit_test(the_boot_clock_never_goes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
