/* What genuine stale tokens of many keys may cost together: a room for tables, and an allowance. */
#include "vectors.h"

#include "token/calendar_pool.h"
#include "token/token_key.h"

enum { REACH = 100, STEPS = 2 * REACH + 1, KEYS = 1000 };

static const int64_t noon = 58907520;

/* Each key's OTPs are its own. */
struct counted {
    uint32_t key;
    unsigned computed;
};

static int compute(void *context, int64_t step, uint32_t *otp_r)
{
    struct counted *counted = context;

    counted->computed++;
    *otp_r = counted->key * 1000000 + (uint32_t)(step % 100000);
    return 0;
}

static size_t table_memory(void)
{
    struct otp_calendar *calendar = otp_calendar_create(REACH);
    size_t memory = otp_calendar_memory(calendar);

    otp_calendar_destroy(&calendar);
    return memory;
}

static bool finds(struct calendar_lease *lease, struct counted *counted, int64_t centre)
{
    const struct otp_calendar *calendar =
        calendar_lease_take(lease, REACH, centre, compute, counted);
    int64_t step = 0;

    return calendar != NULL &&
           otp_calendar_find(
               calendar, counted->key * 1000000 + (uint32_t)((centre - REACH) % 100000), &step) &&
           step == centre - REACH;
}

static void a_thousand_keys_hold_no_more_than_the_room(void **state)
{
    static struct calendar_lease leases[KEYS];
    struct counted counted[KEYS];
    struct calendar_pool pool;
    size_t held = 0;

    (void)state;
    calendar_pool_init(&pool, 10 * table_memory(), INT32_MAX);
    for (uint32_t i = 0; i < KEYS; i++) {
        counted[i] = (struct counted){.key = i};
        calendar_lease_join(&leases[i], &pool);
        expect(finds(&leases[i], &counted[i], noon), "key %u", i);
        expect(pool.memory <= 10 * table_memory(), "key %u: %zu bytes", i, pool.memory);
        /* The first is used all the time: it is never the one that makes way. */
        assert_true(finds(&leases[0], &counted[0], noon));
    }
    assert_int_equal(counted[0].computed, STEPS);
    for (size_t i = 0; i < KEYS; i++)
        held += leases[i].calendar != NULL;
    assert_int_equal(held, 10);
    for (size_t i = 0; i < KEYS; i++)
        calendar_lease_end(&leases[i]);
    assert_int_equal(pool.memory, 0);
    assert_true(TAILQ_EMPTY(&pool.leases));
}

static void a_table_larger_than_the_room_is_held_alone(void **state)
{
    struct calendar_lease one = {.pool = NULL}, other = {.pool = NULL};
    struct counted counted = {.key = 1};
    struct calendar_pool pool;

    (void)state;
    calendar_pool_init(&pool, 1, INT32_MAX);
    calendar_lease_join(&one, &pool);
    calendar_lease_join(&other, &pool);
    assert_true(finds(&one, &counted, noon));
    assert_true(finds(&other, &counted, noon));
    assert_null(one.calendar);
    calendar_lease_join(&other, NULL);
    assert_int_equal(pool.memory, 0);
}

static void whoever_forces_builds_in_turn_is_held_to_the_allowance(void **state)
{
    static struct calendar_lease leases[KEYS];
    struct counted counted[KEYS] = {0};
    unsigned computed = 0;
    struct calendar_pool pool;

    (void)state;
    calendar_pool_init(&pool, table_memory(), STEPS + 10);
    for (uint32_t i = 0; i < KEYS; i++) {
        counted[i].key = i;
        calendar_lease_join(&leases[i], &pool);
    }
    /* Ten seconds; in each a stale token of every key. */
    for (int second = 0; second < 10; second++) {
        for (size_t i = 0; i < KEYS; i++)
            (void)finds(&leases[i], &counted[i], noon + second);
        calendar_pool_allow(&pool);
    }
    for (size_t i = 0; i < KEYS; i++) {
        computed += counted[i].computed;
        calendar_lease_end(&leases[i]);
    }
    expect(computed >= 9 * STEPS && computed <= 11 * (STEPS + 10), "%u OTPs", computed);
}

static void without_an_allowance_no_table_makes_way_for_a_new_one(void **state)
{
    static const struct {
        int64_t otps_left;
        bool begins;
    } rows[] = {{0, false}, {1, true}, {2, true}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct calendar_lease one = {.pool = NULL}, other = {.pool = NULL};
        struct counted counted = {.key = 1}, others = {.key = 2};
        struct calendar_pool pool;

        calendar_pool_init(&pool, table_memory(), INT32_MAX);
        calendar_lease_join(&one, &pool);
        calendar_lease_join(&other, &pool);
        assert_true(finds(&one, &counted, noon));
        pool.otps_left = rows[i].otps_left;
        (void)finds(&other, &others, noon);
        expect((other.calendar != NULL) == rows[i].begins, "row %zu", i);
        expect(others.computed == (rows[i].begins ? 1 : 0), "row %zu: %u OTPs", i, others.computed);
        expect((one.calendar == NULL) == rows[i].begins, "row %zu", i);
        calendar_lease_end(&one);
        calendar_lease_end(&other);
    }
}

static void a_table_larger_than_the_allowance_grows_from_now_on(void **state)
{
    struct counted counted = {.key = 1};
    struct calendar_lease lease = {.pool = NULL};
    const struct otp_calendar *calendar = NULL;
    struct calendar_pool pool;
    int64_t step = 0;

    (void)state;
    calendar_pool_init(&pool, SIZE_MAX, STEPS / 5);
    calendar_lease_join(&lease, &pool);
    for (unsigned second = 0; second < 7; second++) {
        unsigned before = counted.computed;

        /* The clock goes on meanwhile; and a second try in the same second costs nothing more. */
        for (int i = 0; i < 2; i++)
            calendar = calendar_lease_take(&lease, REACH, noon + second, compute, &counted);
        assert_non_null(calendar);
        expect(counted.computed - before <= STEPS / 5, "second %u: %u OTPs", second,
               counted.computed - before);
        assert_true(otp_calendar_find(calendar, 1000000 + (noon + second) % 100000, &step));
        assert_int_equal(step, noon + second);
        assert_int_equal(otp_calendar_is_whole(calendar), second >= 5);
        calendar_pool_allow(&pool);
    }
    assert_true(otp_calendar_find(calendar, 1000000 + (noon + 6 - REACH) % 100000, &step));
    /* What is there costs nothing, also without an allowance. */
    pool.otps_left = 0;
    assert_true(finds(&lease, &counted, noon + 6));
    assert_false(finds(&lease, &counted, noon + 7));
    calendar_lease_end(&lease);
}

static void a_table_is_not_given_up_for_want_of_a_few(void **state)
{
    struct counted counted = {.key = 1};
    struct calendar_lease lease = {.pool = NULL};
    struct calendar_pool pool;

    (void)state;
    calendar_pool_init(&pool, SIZE_MAX, STEPS);
    calendar_lease_join(&lease, &pool);
    assert_true(finds(&lease, &counted, noon));
    for (int second = 0; second < 3; second++) {
        pool.otps_left = 10;
        assert_false(finds(&lease, &counted, noon + 40));
    }
    assert_int_equal(counted.computed, STEPS + 30);
    pool.otps_left = 10;
    assert_true(finds(&lease, &counted, noon + 40));
    assert_int_equal(counted.computed, STEPS + 40);
    calendar_lease_end(&lease);
}

static void whoever_comes_back_after_long_begins_anew_within_the_allowance(void **state)
{
    struct counted counted = {.key = 1};
    struct calendar_lease lease = {.pool = NULL};
    struct calendar_pool pool;
    unsigned before;

    (void)state;
    calendar_pool_init(&pool, SIZE_MAX, STEPS);
    calendar_lease_join(&lease, &pool);
    assert_true(finds(&lease, &counted, noon));
    for (int64_t away = 1; away < 1000000; away = 3 * away + 1) {
        calendar_pool_allow(&pool);
        before = counted.computed;
        expect(finds(&lease, &counted, noon + away), "%lld steps away", (long long)away);
        assert_true(counted.computed - before <= STEPS);
    }
    calendar_lease_end(&lease);
}

static void each_second_has_its_allowance_whatever_is_left(void **state)
{
    static const int64_t rows[] = {100, 99, 1, 0};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct calendar_pool pool;

        calendar_pool_init(&pool, 1, 100);
        assert_int_equal(pool.otps_left, 100);
        pool.otps_left = rows[i];
        calendar_pool_allow(&pool);
        expect(pool.otps_left == 100, "row %zu: %lld", i, (long long)pool.otps_left);
    }
}

/* The whole way: the verdict of a token whose age can't be looked up now. */
static void a_token_that_can_t_be_dated_now_is_expired_without_an_offset(void **state)
{
    struct token_key *key = key_of(&default_format, RFC_SEED, "secret");
    static const struct {
        int64_t steps;
        int64_t offset, offset_without; /* an allowance */
        enum reason reason, reason_without;
    } rows[] = {
        {-120, -3600, 0, REASON_EXPIRED, REASON_EXPIRED},
        {120, 3600, 0, REASON_EARLY, REASON_EXPIRED},
        {-4000, 0, 0, REASON_WRONG_OTP, REASON_EXPIRED},
        /* As near as this it is known anyway. */
        {-2, -60, -60, REASON_EXPIRED, REASON_EXPIRED},
        {-4, -120, -120, REASON_EXPIRED, REASON_EXPIRED},
        {-5, -150, 0, REASON_EXPIRED, REASON_EXPIRED},
        {4, 120, 120, REASON_EARLY, REASON_EARLY},
        {5, 150, 0, REASON_EARLY, REASON_EXPIRED},
    };

    (void)state;
    for (size_t i = 0; i < 2 * LENGTH_OF(rows); i++) {
        bool without = i >= LENGTH_OF(rows);
        size_t row = i % LENGTH_OF(rows);
        char text[TOKEN_LENGTH_MAX + 1];
        struct calendar_pool pool;
        struct token_verdict verdict;

        calendar_pool_init(&pool, SIZE_MAX, without ? 0 : INT32_MAX);
        token_key_share_calendars(key, &pool);
        assert_int_equal(token_mint(key, &default_format, "alice", "example.org",
                                    noon + rows[row].steps, NONCE_32, text),
                         0);
        verdict = verdict_of(key, &default_format, "alice", "example.org", text, noon * 30);
        expect(verdict.reason == (without ? rows[row].reason_without : rows[row].reason),
               "row %zu: %s", i, reason_word(verdict.reason));
        expect(verdict.clock_offset == (without ? rows[row].offset_without : rows[row].offset),
               "row %zu: %lld", i, (long long)verdict.clock_offset);
        token_key_share_calendars(key, NULL);
    }
    token_key_destroy(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_keys_hold_no_more_than_the_room),
        cmocka_unit_test(a_table_larger_than_the_room_is_held_alone),
        cmocka_unit_test(whoever_forces_builds_in_turn_is_held_to_the_allowance),
        cmocka_unit_test(each_second_has_its_allowance_whatever_is_left),
        cmocka_unit_test(without_an_allowance_no_table_makes_way_for_a_new_one),
        cmocka_unit_test(a_table_larger_than_the_allowance_grows_from_now_on),
        cmocka_unit_test(a_table_is_not_given_up_for_want_of_a_few),
        cmocka_unit_test(whoever_comes_back_after_long_begins_anew_within_the_allowance),
        cmocka_unit_test(a_token_that_can_t_be_dated_now_is_expired_without_an_offset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
