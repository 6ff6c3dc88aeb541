/* The stretches of time that are closed for good: against a line of moments, each open or closed.
 */
#include "vectors.h"

#include "store/closed_time.h"

static void stretches_are_in_order_and_apart(const struct closed_time *closed, const char *when)
{
    expect(closed->count <= CLOSED_STRETCHES_MAX, "%s: %zu stretches", when, closed->count);
    for (size_t i = 0; i < closed->count; i++) {
        expect(closed->stretches[i].begin < closed->stretches[i].end, "%s: stretch %zu", when, i);
        if (i > 0)
            expect(closed->stretches[i - 1].end < closed->stretches[i].begin, "%s: stretch %zu",
                   when, i);
    }
}

static void nothing_is_closed_at_first(void **state)
{
    struct closed_time closed = {0};

    (void)state;
    assert_false(closed_time_touches(&closed, (struct stretch){INT64_MIN, INT64_MAX}));
    assert_false(closed_time_touches(&closed, (struct stretch){0, 1}));
}

static void a_stretch_begins_inclusive_and_ends_exclusive(void **state)
{
    static const struct {
        int64_t begin, end;
        bool touches;
    } rows[] = {
        {0, 99, false},   {0, 100, false},   {0, 101, true},    {99, 100, false},  {99, 101, true},
        {100, 101, true}, {100, 200, true},  {120, 130, true},  {0, 300, true},    {199, 200, true},
        {199, 201, true}, {200, 201, false}, {200, 300, false}, {201, 300, false},
    };
    struct closed_time closed = {0};

    (void)state;
    closed_time_add(&closed, (struct stretch){100, 200});
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(closed_time_touches(&closed, (struct stretch){rows[i].begin, rows[i].end}) ==
                   rows[i].touches,
               "%lld to %lld", (long long)rows[i].begin, (long long)rows[i].end);
}

static void stretches_that_meet_become_one(void **state)
{
    static const struct {
        const char *name;
        struct stretch added[4];
        size_t count; /* of stretches left */
        struct stretch first, last;
    } rows[] = {
        {"apart", {{0, 10}, {20, 30}, {40, 50}, {60, 70}}, 4, {0, 10}, {60, 70}},
        {"backwards", {{60, 70}, {40, 50}, {20, 30}, {0, 10}}, 4, {0, 10}, {60, 70}},
        {"touching", {{0, 10}, {10, 20}, {20, 30}, {30, 40}}, 1, {0, 40}, {0, 40}},
        {"touching, backwards", {{30, 40}, {20, 30}, {10, 20}, {0, 10}}, 1, {0, 40}, {0, 40}},
        {"the gap is filled", {{0, 10}, {20, 30}, {10, 20}, {40, 50}}, 2, {0, 30}, {40, 50}},
        {"the same again", {{0, 10}, {0, 10}, {0, 10}, {0, 10}}, 1, {0, 10}, {0, 10}},
        {"within", {{0, 100}, {10, 20}, {0, 1}, {99, 100}}, 1, {0, 100}, {0, 100}},
        {"around", {{10, 20}, {30, 40}, {50, 60}, {0, 100}}, 1, {0, 100}, {0, 100}},
        {"over the begin", {{10, 20}, {5, 15}, {30, 40}, {29, 31}}, 2, {5, 20}, {29, 40}},
        {"over the end", {{10, 20}, {15, 25}, {30, 40}, {39, 41}}, 2, {10, 25}, {30, 41}},
        {"bridging", {{0, 10}, {20, 30}, {40, 50}, {5, 45}}, 1, {0, 50}, {0, 50}},
        {"negative", {{-20, -10}, {-10, 0}, {0, 10}, {-40, -30}}, 2, {-40, -30}, {-20, 10}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct closed_time closed = {0};

        for (size_t k = 0; k < LENGTH_OF(rows[i].added); k++) {
            closed_time_add(&closed, rows[i].added[k]);
            stretches_are_in_order_and_apart(&closed, rows[i].name);
        }
        expect(closed.count == rows[i].count, "%s: %zu", rows[i].name, closed.count);
        expect(memcmp(&closed.stretches[0], &rows[i].first, sizeof(struct stretch)) == 0, "%s",
               rows[i].name);
        expect(memcmp(&closed.stretches[closed.count - 1], &rows[i].last, sizeof(struct stretch)) ==
                   0,
               "%s", rows[i].name);
    }
}

/* A line of moments. Beyond the limit of stretches the shortest open time between two is closed. */
enum { MOMENTS = 6000 };

struct naive {
    bool closed[MOMENTS];
};

static size_t naive_join(struct naive *naive)
{
    size_t stretches = 0, shortest = SIZE_MAX, shortest_begin = 0, open_begin = 0;

    for (size_t i = 0; i < MOMENTS; i++) {
        if (!naive->closed[i])
            continue;
        if (i == 0 || !naive->closed[i - 1]) {
            if (stretches++ > 0 && i - open_begin < shortest) {
                shortest = i - open_begin;
                shortest_begin = open_begin;
            }
        }
        open_begin = i + 1;
    }
    if (stretches <= CLOSED_STRETCHES_MAX)
        return stretches;
    memset(naive->closed + shortest_begin, true, shortest);
    return stretches - 1;
}

static void random_stretches_agree_with_a_line_of_moments(void **state)
{
    static const size_t longest[] = {1, 2, 5, 400};
    size_t beyond_the_limit = 0;

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(longest); i++) {
        static struct naive naive;
        struct closed_time closed = {0};
        uint64_t random = 13 + i;

        memset(&naive, 0, sizeof(naive));
        for (int round = 0; round < 1500; round++) {
            int64_t length = 1 + (int64_t)random_below(&random, longest[i]);
            int64_t begin = (int64_t)random_below(&random, (uint64_t)(MOMENTS - length));
            size_t stretches;

            closed_time_add(&closed, (struct stretch){begin, begin + length});
            memset(naive.closed + begin, true, (size_t)length);
            stretches = naive_join(&naive);
            beyond_the_limit += closed.count == CLOSED_STRETCHES_MAX;
            expect(closed.count == stretches, "length %zu, round %d: %zu, not %zu", longest[i],
                   round, closed.count, stretches);
            if (round % 10 != 0 && round > 20)
                continue;
            stretches_are_in_order_and_apart(&closed, "random");
            for (int64_t moment = 0; moment < MOMENTS; moment++)
                expect(closed_time_touches(&closed, (struct stretch){moment, moment + 1}) ==
                           naive.closed[moment],
                       "length %zu, round %d, moment %lld", longest[i], round, (long long)moment);
            for (int question = 0; question < 200; question++) {
                int64_t from = (int64_t)random_below(&random, MOMENTS - 1);
                int64_t to = from + 1 + (int64_t)random_below(&random, (uint64_t)(MOMENTS - from));
                bool touched = false;

                for (int64_t moment = from; moment < to && moment < MOMENTS; moment++)
                    touched |= naive.closed[moment];
                expect(closed_time_touches(&closed, (struct stretch){from, to}) == touched,
                       "length %zu, round %d, %lld to %lld", longest[i], round, (long long)from,
                       (long long)to);
            }
        }
    }
    assert_true(beyond_the_limit > 100);
}

/* Refuses more than it must rather than less. */
static void what_was_closed_stays_closed_beyond_the_limit(void **state)
{
    enum { ADDED = 5000 };
    static int64_t begins[ADDED];
    struct closed_time closed = {0};
    uint64_t random = 17;

    (void)state;
    for (size_t i = 0; i < ADDED; i++) {
        begins[i] = (int64_t)random_below(&random, UINT64_C(4000000000)) - 1000000000;
        closed_time_add(&closed, (struct stretch){begins[i], begins[i] + 30});
        if (i % 100 == 0)
            stretches_are_in_order_and_apart(&closed, "far");
    }
    assert_int_equal(closed.count, CLOSED_STRETCHES_MAX);
    for (size_t i = 0; i < ADDED; i++)
        expect(closed_time_touches(&closed, (struct stretch){begins[i], begins[i] + 30}),
               "stretch %zu", i);
    /* And what lies before and behind all of them stays open. */
    assert_false(closed_time_touches(&closed, (struct stretch){-2000000000, -1000000001}));
    assert_false(closed_time_touches(&closed, (struct stretch){3000000030, 5000000000}));
}

/* Of equal ones the first: nothing depends on which, but that two daemons agree. */
static void of_the_shortest_open_times_the_first_is_closed(void **state)
{
    struct closed_time closed = {0};
    int64_t begin = 0;

    (void)state;
    for (size_t i = 0; i <= CLOSED_STRETCHES_MAX; i++) {
        closed_time_add(&closed, (struct stretch){begin, begin + 10});
        begin += i < 2 ? 15 : 1000;
    }
    assert_int_equal(closed.count, CLOSED_STRETCHES_MAX);
    assert_true(closed_time_touches(&closed, (struct stretch){10, 15}));
    assert_false(closed_time_touches(&closed, (struct stretch){25, 30}));
}

/* A daemon that runs for years closes one step after the other: that is one stretch. */
static void steps_closed_one_after_the_other_stay_one_stretch(void **state)
{
    struct closed_time closed = {0};

    (void)state;
    for (int64_t step = 58907520; step < 58907520 + 100000; step++)
        closed_time_add(&closed, (struct stretch){step * 30, (step + 1) * 30});
    assert_int_equal(closed.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_closed_at_first),
        cmocka_unit_test(a_stretch_begins_inclusive_and_ends_exclusive),
        cmocka_unit_test(stretches_that_meet_become_one),
        cmocka_unit_test(random_stretches_agree_with_a_line_of_moments),
        cmocka_unit_test(what_was_closed_stays_closed_beyond_the_limit),
        cmocka_unit_test(of_the_shortest_open_times_the_first_is_closed),
        cmocka_unit_test(steps_closed_one_after_the_other_stay_one_stretch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
