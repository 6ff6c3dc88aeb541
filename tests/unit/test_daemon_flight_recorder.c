/* What is remembered of a user's verdicts, and what nobody else can make it forget. */
#include "vectors.h"

#include "daemon/flight_recorder.h"

enum { KEY = 7 };

static void add(struct flight_recorder *recorder, uint64_t user, uint64_t key, enum reason reason,
                uint32_t at)
{
    const struct flight_record record = {.first = at,
                                         .last = at,
                                         .times = 1,
                                         .key = key,
                                         .is_genuine = key != 0,
                                         .reason = (uint8_t)reason,
                                         .question = QUESTION_AUTH};

    flight_recorder_add(recorder, user, &record);
}

static uint64_t user_of(const struct flight_recorder *recorder, const char *jid)
{
    return flight_recorder_user(recorder, jid, strlen(jid));
}

static void verdicts_are_read_the_latest_first(void **state)
{
    struct flight_recorder recorder;
    struct flight_record records[RECORDER_READ_MAX];
    uint64_t alice;

    (void)state;
    assert_int_equal(flight_recorder_init(&recorder), 0);
    alice = user_of(&recorder, "alice@example.org");
    assert_int_equal(flight_recorder_read(&recorder, alice, records), 0);
    add(&recorder, alice, KEY, REASON_ALLOWED, 100);
    add(&recorder, alice, 0, REASON_FORGED, 100);
    add(&recorder, alice, KEY, REASON_EXPIRED, 100);
    add(&recorder, user_of(&recorder, "bob@example.org"), KEY, REASON_REVOKED, 101);
    assert_int_equal(flight_recorder_read(&recorder, alice, records), 3);
    assert_int_equal(records[0].reason, REASON_EXPIRED);
    assert_int_equal(records[1].reason, REASON_FORGED);
    assert_int_equal(records[2].reason, REASON_ALLOWED);
    flight_recorder_deinit(&recorder);
}

/* As a client does that tries again every three seconds. */
static void repeats_are_one_record(void **state)
{
    struct flight_recorder recorder;
    struct flight_record records[RECORDER_READ_MAX];
    uint64_t alice;

    (void)state;
    assert_int_equal(flight_recorder_init(&recorder), 0);
    alice = user_of(&recorder, "alice@example.org");
    add(&recorder, alice, KEY, REASON_ALLOWED, 10);
    for (uint32_t i = 0; i < 200; i++)
        add(&recorder, alice, KEY, i % 2 == 0 ? REASON_REPLAYED : REASON_EXPIRED, 100 + 3 * i);
    add(&recorder, alice, KEY + 1, REASON_EXPIRED, 1000);
    assert_int_equal(flight_recorder_read(&recorder, alice, records), 4);
    assert_int_equal(records[0].key, KEY + 1);
    assert_int_equal(records[0].times, 1);
    assert_int_equal(records[1].reason, REASON_EXPIRED);
    assert_int_equal(records[1].times, 100);
    assert_int_equal(records[1].first, 103);
    assert_int_equal(records[1].last, 697);
    assert_int_equal(records[2].times, 100);
    assert_int_equal(records[3].reason, REASON_ALLOWED);
    flight_recorder_deinit(&recorder);
}

static void a_history_keeps_its_latest_records(void **state)
{
    struct flight_recorder recorder;
    struct flight_record records[RECORDER_READ_MAX];
    uint64_t alice;

    (void)state;
    assert_int_equal(flight_recorder_init(&recorder), 0);
    alice = user_of(&recorder, "alice@example.org");
    for (uint32_t i = 1; i <= 100; i++)
        add(&recorder, alice, i, REASON_ALLOWED, i);
    assert_int_equal(flight_recorder_read(&recorder, alice, records), RECORDER_HISTORY);
    for (uint64_t i = 0; i < RECORDER_HISTORY; i++)
        assert_int_equal(records[i].key, 100 - i);
    flight_recorder_deinit(&recorder);
}

/* A forger needs no account, and names whom he likes. */
static void a_flood_of_forged_tokens_flushes_no_genuine_history(void **state)
{
    struct flight_recorder recorder;
    struct flight_record records[RECORDER_READ_MAX];
    uint64_t alice;

    (void)state;
    assert_int_equal(flight_recorder_init(&recorder), 0);
    alice = user_of(&recorder, "alice@example.org");
    add(&recorder, alice, KEY, REASON_EXPIRED, 100);
    for (uint32_t i = 0; i < 200000; i++) {
        char jid[64];

        snprintf(jid, sizeof(jid), i % 3 == 0 ? "alice@example.org" : "user%u@example.org", i);
        add(&recorder, user_of(&recorder, jid), 0, (enum reason)(i % REASON_COUNT), 200 + i / 100);
    }
    assert_true(flight_recorder_read(&recorder, alice, records) >= 1);
    expect(records[0].key == KEY || records[RECORDER_HISTORY].key == KEY, "it is gone");
    flight_recorder_deinit(&recorder);
}

static size_t histories_of(const struct flight_recorder *recorder, uint32_t users)
{
    struct flight_record records[RECORDER_READ_MAX];
    size_t found = 0;

    for (uint32_t i = 0; i < users; i++) {
        char jid[64];

        snprintf(jid, sizeof(jid), "user%u@example.org", i);
        found += flight_recorder_read(recorder, user_of(recorder, jid), records) > 0;
    }
    return found;
}

/* Somebody with an account has genuine tokens, dead ones too, of his own name alone: at the worst he
 * takes one place. */
static void an_accounts_own_flood_flushes_no_other_history(void **state)
{
    const uint32_t users = RECORDER_GENUINE_USERS / 4;
    struct flight_recorder recorder;
    uint64_t mallory;
    size_t before;

    (void)state;
    assert_int_equal(flight_recorder_init(&recorder), 0);
    mallory = user_of(&recorder, "mallory@example.org");
    for (uint32_t i = 0; i < users; i++) {
        char jid[64];

        snprintf(jid, sizeof(jid), "user%u@example.org", i);
        add(&recorder, user_of(&recorder, jid), KEY, REASON_EXPIRED, 100);
    }
    before = histories_of(&recorder, users);
    assert_true(before > users * 95 / 100);
    for (uint32_t i = 0; i < 100000; i++)
        add(&recorder, mallory, 1 + i % 1000, (enum reason)(i % REASON_COUNT), 200);
    assert_true(histories_of(&recorder, users) >= before - 1);
    flight_recorder_deinit(&recorder);
}

static void its_memory_is_bounded_whoever_comes(void **state)
{
    struct flight_recorder recorder;
    struct flight_recorder_usage usage;

    (void)state;
    assert_int_equal(flight_recorder_init(&recorder), 0);
    usage = flight_recorder_usage(&recorder);
    assert_int_equal(usage.genuine_users, 0);
    assert_true(usage.bytes < 2 << 20);
    for (uint32_t i = 0; i < 100000; i++) {
        char jid[64];

        snprintf(jid, sizeof(jid), "user%u@example.org", i);
        add(&recorder, user_of(&recorder, jid), i % 2 == 0 ? 0 : KEY, REASON_ALLOWED, i);
    }
    usage = flight_recorder_usage(&recorder);
    assert_int_equal(usage.genuine_users, RECORDER_GENUINE_USERS);
    assert_int_equal(usage.other_users, RECORDER_OTHER_USERS);
    flight_recorder_deinit(&recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_read_the_latest_first),
        cmocka_unit_test(repeats_are_one_record),
        cmocka_unit_test(a_history_keeps_its_latest_records),
        cmocka_unit_test(a_flood_of_forged_tokens_flushes_no_genuine_history),
        cmocka_unit_test(an_accounts_own_flood_flushes_no_other_history),
        cmocka_unit_test(its_memory_is_bounded_whoever_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
