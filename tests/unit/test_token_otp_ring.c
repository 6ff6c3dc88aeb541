/* The one-time passwords of a stretch of steps, each computed once. */
#include "vectors.h"

#include "token/otp_ring.h"

struct counted {
    size_t calls;
    size_t fail_after; /* calls that succeed */
};

static uint32_t otp_for(int64_t step)
{
    return (uint32_t)((uint64_t)step * 2654435761u ^ (uint64_t)step >> 32);
}

static int compute(void *context, int64_t step, uint32_t *otp_r)
{
    struct counted *counted = context;

    if (counted->calls++ >= counted->fail_after)
        return -1;
    *otp_r = otp_for(step);
    return 0;
}

static void every_move_gives_the_right_values_and_computes_only_the_new(void **state)
{
    uint64_t random = 4;
    int64_t first = 0, end = 0, position = 58000000;
    uint32_t otps[64];
    struct otp_ring ring;

    (void)state;
    otp_ring_init(&ring, otps, LENGTH_OF(otps));
    for (int move = 0; move < 100000; move++) {
        uint32_t count = 1 + (uint32_t)random_below(&random, LENGTH_OF(otps));
        struct counted counted = {.fail_after = SIZE_MAX};
        size_t kept = 0;

        /* Mostly a little, at times far, forwards and back, and around zero. */
        if (random_below(&random, 50) == 0)
            position = (int64_t)random_below(&random, 200) - 100;
        else
            position += (int64_t)random_below(&random, 21) - 10;
        for (int64_t step = position; step < position + (int64_t)count; step++)
            kept += step >= first && step < end;
        assert_int_equal(otp_ring_move(&ring, position, count, compute, &counted), 0);
        first = position;
        end = position + (int64_t)count;
        expect(ring.first == first && otp_ring_end(&ring) == end, "move %d", move);
        for (int64_t step = first; step < end; step++)
            expect(otp_ring_at(&ring, step) == otp_for(step), "move %d, step %lld of %lld", move,
                   (long long)step, (long long)first);
        expect(counted.calls == count - kept, "move %d computes %zu, %zu are new", move,
               counted.calls, count - kept);
    }
}

static void a_capacity_is_the_least_power_of_two_that_suffices(void **state)
{
    static const struct {
        uint32_t count, capacity;
    } rows[] = {{1, 1},   {2, 2},   {3, 4},           {4, 4},
                {63, 64}, {64, 64}, {187201, 262144}, {UINT32_C(1) << 31, UINT32_C(1) << 31}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(otp_ring_capacity(rows[i].count) == rows[i].capacity, "%u", rows[i].count);
}

static void standing_still_costs_nothing(void **state)
{
    struct counted counted = {.fail_after = SIZE_MAX};
    uint32_t otps[8];
    struct otp_ring ring;

    (void)state;
    otp_ring_init(&ring, otps, LENGTH_OF(otps));
    assert_int_equal(otp_ring_move(&ring, 100, 6, compute, &counted), 0);
    assert_int_equal(counted.calls, 6);
    assert_int_equal(otp_ring_move(&ring, 100, 6, compute, &counted), 0);
    assert_int_equal(counted.calls, 6);
    assert_int_equal(otp_ring_move(&ring, 101, 6, compute, &counted), 0);
    assert_int_equal(counted.calls, 7);
}

/* A value that was never computed must not be taken for an OTP. */
static void a_failure_half_way_leaves_the_ring_empty(void **state)
{
    (void)state;
    for (size_t good = 0; good < 8; good++) {
        struct counted counted = {.fail_after = SIZE_MAX};
        uint32_t otps[8] = {0};
        struct otp_ring ring;

        otp_ring_init(&ring, otps, LENGTH_OF(otps));
        assert_int_equal(otp_ring_move(&ring, 100, 8, compute, &counted), 0);
        counted = (struct counted){.fail_after = good};
        expect(otp_ring_move(&ring, 200, 8, compute, &counted) == -1, "%zu succeed", good);
        expect(ring.count == 0, "%zu succeed", good);
        counted = (struct counted){.fail_after = SIZE_MAX};
        assert_int_equal(otp_ring_move(&ring, 198, 8, compute, &counted), 0);
        expect(counted.calls == 8, "after %zu", good);
        for (int64_t step = 198; step < 206; step++)
            expect(otp_ring_at(&ring, step) == otp_for(step), "after %zu", good);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_move_gives_the_right_values_and_computes_only_the_new),
        cmocka_unit_test(a_capacity_is_the_least_power_of_two_that_suffices),
        cmocka_unit_test(standing_still_costs_nothing),
        cmocka_unit_test(a_failure_half_way_leaves_the_ring_empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
