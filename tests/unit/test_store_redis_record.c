/* What INFO and the marker tell of a Redis' record: strictly, for a marker that is misread vouches for tokens. */
#include "vectors.h"

#include <string.h>

#include "store/redis_record.h"

#define INFO                                                                                       \
    "# Server\r\nredis_version:7.0.15\r\nrun_id:c0ffee\r\n# Replication\r\nrole:master\r\n"        \
    "master_replid:abcdef\r\nmaster_replid2:000\r\n# Stats\r\nevicted_keys:7\r\n"                  \
    "# Memory\r\nmaxmemory_policy:noeviction\r\n"

static void info_gives_run_replication_evictions_role_and_policy(void **state)
{
    struct redis_server server;

    (void)state;
    assert_true(redis_info_parse(INFO, strlen(INFO), &server));
    assert_string_equal(server.identity.run_id, "c0ffee");
    assert_string_equal(server.identity.replication_id, "abcdef");
    assert_int_equal(server.identity.evicted_keys, 7);
    assert_true(server.policy_is_safe);
    assert_true(server.is_master);
}

static void info_that_lacks_a_field_tells_nothing(void **state)
{
    static const char *const names[] = {
        "run_id:", "master_replid:", "evicted_keys:", "maxmemory_policy:", "role:"};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        struct redis_server server = {.identity.evicted_keys = 99};
        char text[] = INFO;

        *strstr(text, names[i]) = 'X';
        expect(!redis_info_parse(text, strlen(text), &server), "%s", names[i]);
        expect(server.identity.evicted_keys == 99, "%s: written to", names[i]);
    }
}

static void info_cut_anywhere_is_never_misread(void **state)
{
    (void)state;
    for (size_t length = 0; length < strlen(INFO); length++) {
        char *exact = exact_copy(INFO, length);
        struct redis_server server;

        if (redis_info_parse(exact, length, &server))
            expect(!server.policy_is_safe || length + 2 >= strlen(INFO), "length %zu", length);
        free(exact);
    }
}

#define INFO_WITH(run_id, evicted)                                                                 \
    "run_id:" run_id "\r\nrole:master\r\nmaster_replid:abcdef\r\nevicted_keys:" evicted            \
    "\r\nmaxmemory_policy:noeviction\r\n"
#define DIGITS_20 "01234567890123456789"

static void fields_are_taken_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *name, *text;
        const char *run_id; /* NULL: it tells nothing */
        uint64_t evicted;
    } rows[] = {
        {"more than a digit", INFO_WITH("a", "12"), "a", 12},
        {"the longest name", INFO_WITH(DIGITS_20 DIGITS_20, "7"), DIGITS_20 DIGITS_20, 7},
        {"a name that fills its room", INFO_WITH(DIGITS_20 DIGITS_20 "1234567", "7"),
         DIGITS_20 DIGITS_20 "1234567", 7},
        {"a byte more", INFO_WITH(DIGITS_20 DIGITS_20 "12345678", "7"), NULL, 0},
        {"no name", INFO_WITH("", "7"), NULL, 0},
        {"a name of two words", INFO_WITH("a b", "7"), NULL, 0},
        {"no number", INFO_WITH("a", ""), NULL, 0},
        {"a number without end", INFO_WITH("a", DIGITS_20 "1234"), NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct redis_server server = {0};

        expect(redis_info_parse(rows[i].text, strlen(rows[i].text), &server) ==
                   (rows[i].run_id != NULL),
               "%s", rows[i].name);
        if (rows[i].run_id != NULL) {
            expect(strcmp(server.identity.run_id, rows[i].run_id) == 0, "%s", rows[i].name);
            expect(server.identity.evicted_keys == rows[i].evicted, "%s", rows[i].name);
        }
    }
}

static void only_noeviction_is_safe_and_only_a_master_takes_records(void **state)
{
    static const char info[] = "run_id:a\nrole:slave\nmaster_replid:b\nevicted_keys:0\n"
                               "maxmemory_policy:noeviction-but-not\n";
    struct redis_server server;

    (void)state;
    assert_true(redis_info_parse(info, strlen(info), &server));
    assert_false(server.policy_is_safe);
    assert_false(server.is_master);
}

enum { TOLERANCE = 30000 };

/* Readings of the server's clock and of ours, in seconds; whether it was set forward, and what it
 * would have shown. */
static void a_clock_that_is_set_forward_is_seen_and_none_that_drifts_or_goes_back(void **state)
{
    static const struct {
        const char *name;
        int64_t server, boot;
        bool is_set;
        int64_t expected;
    } rows[] = {
        {"the first is believed", 1000000, 100, false, 0},
        {"two seconds on", 1000002, 102, false, 0},
        {"a little ahead", 1000030, 104, false, 0},
        {"a jump", 1000700, 106, true, 1000006},
        {"believed from then on", 1000702, 108, false, 0},
        {"put right", 1000010, 110, false, 0},
        {"the same jump again", 1000710, 112, true, 1000012},
        {"and back", 1000014, 114, false, 0},
        {"a drift of half a hundredth over a day", 1000014 + 86400 + 432, 114 + 86400, false, 0},
        {"many small steps", 1000014 + 86400 + 432 + 22, 116 + 86400, false, 0},
        {"add up", 1000014 + 86400 + 432 + 44, 118 + 86400, true, 1000014 + 86400 + 432 + 4},
    };
    struct redis_clock clock = {0};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        int64_t expected = 0;
        bool went_on = redis_clock_observe(&clock, rows[i].server * 1000, rows[i].boot * 1000,
                                           TOLERANCE, &expected);

        expect(went_on == !rows[i].is_set, "%s", rows[i].name);
        expect(llabs(expected - rows[i].expected * 1000) <= 1000, "%s: %d", rows[i].name,
               (int)(expected / 1000));
    }
}

static void any_change_of_identity_counts(void **state)
{
    const struct redis_identity one = {"run", "replication", 1};
    const struct redis_identity others[] = {
        {"Run", "replication", 1}, {"run", "replication2", 1}, {"run", "replication", 2}};

    (void)state;
    assert_true(redis_identity_equal(&one, &one));
    for (size_t i = 0; i < LENGTH_OF(others); i++)
        expect(!redis_identity_equal(&one, &others[i]), "row %zu", i);
}

static void a_marker_comes_back_as_it_was_written(void **state)
{
    const struct redis_marker marker = {{"c0ffee", "abcdef", 7}, INT64_C(1795468800123)};
    struct redis_marker again = {0};
    char text[REDIS_MARKER_SIZE];

    (void)state;
    redis_marker_format(&marker, text);
    assert_string_equal(text, "1 c0ffee abcdef 7 1795468800123");
    assert_true(redis_marker_parse(text, strlen(text), &again));
    assert_true(redis_identity_equal(&marker.identity, &again.identity));
    assert_int_equal(again.floor_wall_ms, marker.floor_wall_ms);
}

static void what_is_no_marker_is_none(void **state)
{
    static const char *const rows[] = {
        "",
        "1",
        "1 a b 7",
        "2 a b 7 5",
        "1 a b 7 5 ",
        "1  a b 7 5",
        " 1 a b 7 5",
        "1 a b 07 5",
        "1 a b 7 05",
        "1 a b -7 5",
        "1 a b 7 -5",
        "1 a b 7 5x",
        "1 a b 7 5 6",
        "1 a b x 5",
        "1 a b 7 99999999999999999999",
        "1 a\tb 7 5",
        "1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b 7 5",
        "1 a b 012345678901234567891234 5",
        "1 a b 7 012345678901234567891234",
        "1 a b 012345678901234567890123456789012345678901234567890123456789 5",
        "0123456789012345678901234567890123456789 a b 7 5",
        "12345678 a b 7 5"};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct redis_marker marker = {.floor_wall_ms = 42};

        expect(!redis_marker_parse(rows[i], strlen(rows[i]), &marker), "row %zu: %s", i, rows[i]);
        expect(marker.floor_wall_ms == 42, "row %zu: written to", i);
    }
}

/* Longer than any that is written, up to what a peer may send. */
static void a_marker_that_is_too_long_is_none(void **state)
{
    (void)state;
    for (size_t length = REDIS_MARKER_SIZE - 2; length < 3 * (size_t)REDIS_MARKER_SIZE; length++) {
        struct redis_marker marker = {.floor_wall_ms = 42};
        char *text = malloc(length);

        assert_non_null(text);
        memset(text, '1', length);
        expect(!redis_marker_parse(text, length, &marker), "length %zu", length);
        expect(marker.floor_wall_ms == 42, "length %zu", length);
        free(text);
    }
}

/* A hundredth of the time that has passed, and the tolerance; nothing more. */
static void how_far_a_clock_may_have_drifted_is_known_to_the_millisecond(void **state)
{
    static const struct {
        int64_t passed_ms, ahead_ms;
        bool is_set;
    } rows[] = {
        {0, TOLERANCE, false},
        {0, TOLERANCE + 1, true},
        {100000, TOLERANCE + 1000, false},
        {100000, TOLERANCE + 1001, true},
        {86400000, TOLERANCE + 864000, false},
        {86400000, TOLERANCE + 864001, true},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct redis_clock clock = {0};
        int64_t expected = 0;

        assert_true(redis_clock_observe(&clock, 1000000, 5000, TOLERANCE, &expected));
        expect(redis_clock_observe(&clock, 1000000 + rows[i].passed_ms + rows[i].ahead_ms,
                                   5000 + rows[i].passed_ms, TOLERANCE,
                                   &expected) == !rows[i].is_set,
               "row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_gives_run_replication_evictions_role_and_policy),
        cmocka_unit_test(info_that_lacks_a_field_tells_nothing),
        cmocka_unit_test(info_cut_anywhere_is_never_misread),
        cmocka_unit_test(fields_are_taken_whole_or_not_at_all),
        cmocka_unit_test(a_marker_that_is_too_long_is_none),
        cmocka_unit_test(how_far_a_clock_may_have_drifted_is_known_to_the_millisecond),
        cmocka_unit_test(only_noeviction_is_safe_and_only_a_master_takes_records),
        cmocka_unit_test(a_clock_that_is_set_forward_is_seen_and_none_that_drifts_or_goes_back),
        cmocka_unit_test(any_change_of_identity_counts),
        cmocka_unit_test(a_marker_comes_back_as_it_was_written),
        cmocka_unit_test(what_is_no_marker_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
