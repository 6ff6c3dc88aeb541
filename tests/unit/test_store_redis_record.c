/* What INFO and the marker tell of a Redis' record: strictly, for a marker that is misread vouches for tokens. */
#include "vectors.h"

#include <string.h>

#include "store/redis_record.h"

#define INFO                                                                                       \
    "# Server\r\nredis_version:7.0.15\r\nrun_id:c0ffee\r\n# Replication\r\nrole:master\r\n"        \
    "master_replid:abcdef\r\nmaster_replid2:000\r\n# Stats\r\nevicted_keys:7\r\n"                  \
    "# Memory\r\nmaxmemory_policy:noeviction\r\n"

static void info_gives_run_replication_evictions_and_policy(void **state)
{
    struct redis_identity identity;
    bool is_safe = false;

    (void)state;
    assert_true(redis_info_parse(INFO, strlen(INFO), &identity, &is_safe));
    assert_string_equal(identity.run_id, "c0ffee");
    assert_string_equal(identity.replication_id, "abcdef");
    assert_int_equal(identity.evicted_keys, 7);
    assert_true(is_safe);
}

static void info_that_lacks_a_field_tells_nothing(void **state)
{
    static const char *const names[] = {
        "run_id:", "master_replid:", "evicted_keys:", "maxmemory_policy:"};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        struct redis_identity identity = {.evicted_keys = 99};
        char text[] = INFO;
        bool is_safe;

        *strstr(text, names[i]) = 'X';
        expect(!redis_info_parse(text, strlen(text), &identity, &is_safe), "%s", names[i]);
        expect(identity.evicted_keys == 99, "%s: written to", names[i]);
    }
}

static void info_cut_anywhere_is_never_misread(void **state)
{
    (void)state;
    for (size_t length = 0; length < strlen(INFO); length++) {
        struct redis_identity identity;
        bool is_safe = false;

        if (redis_info_parse(INFO, length, &identity, &is_safe))
            expect(!is_safe || length + 2 >= strlen(INFO), "length %zu", length);
    }
}

static void only_noeviction_is_safe(void **state)
{
    static const char info[] = "run_id:a\nmaster_replid:b\nevicted_keys:0\nmaxmemory_policy:"
                               "noeviction-but-not\n";
    struct redis_identity identity;
    bool is_safe = true;

    (void)state;
    assert_true(redis_info_parse(info, strlen(info), &identity, &is_safe));
    assert_false(is_safe);
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
        "1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b 7 5"};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct redis_marker marker = {.floor_wall_ms = 42};

        expect(!redis_marker_parse(rows[i], strlen(rows[i]), &marker), "row %zu: %s", i, rows[i]);
        expect(marker.floor_wall_ms == 42, "row %zu: written to", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_gives_run_replication_evictions_and_policy),
        cmocka_unit_test(info_that_lacks_a_field_tells_nothing),
        cmocka_unit_test(info_cut_anywhere_is_never_misread),
        cmocka_unit_test(only_noeviction_is_safe),
        cmocka_unit_test(any_change_of_identity_counts),
        cmocka_unit_test(a_marker_comes_back_as_it_was_written),
        cmocka_unit_test(what_is_no_marker_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
