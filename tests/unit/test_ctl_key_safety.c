/* Which of a host's keys can be deleted: by their dates, and by who logged in with which. */
#include "vectors.h"

#include "ctl/key_safety.h"

enum { NOW = 1800000000, LIFE = 90, HOUR = 3600, DAY = 86400 };

#define ALWAYS .accept_from = INT64_MIN, .accept_until = INT64_MAX
#define LOADED .in_file = true, .loaded = true, .since = NOW - DAY

static const struct key_view absent = {0};

/* The key in question, and up to two others. */
static const struct {
    const char *name;
    struct key_view key, other, third;
    bool no_daemon;
    enum key_safety expected;
} rows[] = {
    {"the host's only key", {ALWAYS, LOADED}, {0}, {0}, .expected = KEY_ONLY},
    {"expired, and the only one",
     {.accept_from = INT64_MIN, .accept_until = NOW - DAY, LOADED},
     {0},
     {0},
     .expected = KEY_ONLY},
    {"the other one is expired",
     {ALWAYS, LOADED},
     {.accept_from = INT64_MIN, .accept_until = NOW, LOADED, .last_use = NOW - DAY},
     {0},
     .expected = KEY_ONLY},
    {"the other one is to come",
     {ALWAYS, LOADED},
     {.accept_from = NOW + 1, .accept_until = INT64_MAX, LOADED},
     {0},
     .expected = KEY_ONLY},
    {"the other one was deleted",
     {ALWAYS, LOADED},
     {ALWAYS, .loaded = true, .since = NOW - DAY, .last_use = NOW},
     {0},
     .expected = KEY_ONLY},
    {"the dates are over by a token's life",
     {.accept_from = INT64_MIN, .accept_until = NOW - LIFE, LOADED, .last_use = NOW - LIFE},
     {ALWAYS, LOADED},
     {0},
     .expected = KEY_SAFE_EXPIRED},
    {"over, and no daemon is there",
     {.accept_from = INT64_MIN, .accept_until = NOW - LIFE, .in_file = true},
     {ALWAYS, .in_file = true},
     {0},
     .no_daemon = true,
     .expected = KEY_SAFE_EXPIRED},
    {"over, and the other one is over too",
     {.accept_from = INT64_MIN, .accept_until = NOW - DAY, LOADED},
     {.accept_from = INT64_MIN, .accept_until = NOW - DAY, LOADED},
     {0},
     .expected = KEY_SAFE_EXPIRED},
    {"over a moment ago: another machine's clock may be behind",
     {.accept_from = INT64_MIN, .accept_until = NOW - LIFE + 1, LOADED, .last_use = NOW - LIFE},
     {ALWAYS, LOADED},
     {0},
     .expected = KEY_IN_USE},
    {"the dates have not begun",
     {.accept_from = NOW + 1, .accept_until = INT64_MAX, LOADED},
     {ALWAYS, LOADED, .last_use = NOW},
     {0},
     .expected = KEY_NOT_YET},
    {"no daemon is there",
     {ALWAYS, .in_file = true},
     {ALWAYS, .in_file = true},
     {0},
     .no_daemon = true,
     .expected = KEY_USES_UNKNOWN},
    {"the daemon has not been reloaded",
     {ALWAYS, .in_file = true},
     {ALWAYS, LOADED, .last_use = NOW},
     {0},
     .expected = KEY_NOT_LOADED},
    {"deleted from the file",
     {ALWAYS, .loaded = true, .since = NOW - DAY},
     {ALWAYS, LOADED},
     {0},
     .expected = KEY_REMOVED},
    {"used a second ago",
     {ALWAYS, LOADED, .last_use = NOW - 1},
     {ALWAYS, LOADED, .last_use = NOW},
     {0},
     .expected = KEY_IN_USE},
    {"used an hour ago but for a second",
     {ALWAYS, LOADED, .last_use = NOW - HOUR + 1},
     {ALWAYS, LOADED, .last_use = NOW},
     {0},
     .expected = KEY_IN_USE},
    {"used an hour ago, and another one since",
     {ALWAYS, LOADED, .last_use = NOW - HOUR},
     {ALWAYS, LOADED, .last_use = NOW},
     {0},
     .expected = KEY_SAFE_UNUSED},
    {"used an hour ago, and another one within the token's life after that",
     {ALWAYS, LOADED, .last_use = NOW - HOUR},
     {ALWAYS, LOADED, .last_use = NOW - HOUR + LIFE},
     {0},
     .expected = KEY_NO_OTHER},
    {"nobody logs in at all",
     {ALWAYS, LOADED, .last_use = NOW - HOUR},
     {ALWAYS, LOADED, .last_use = NOW - 2 * HOUR},
     {0},
     .expected = KEY_NO_OTHER},
    {"another one was used, which is over by now",
     {ALWAYS, LOADED, .last_use = NOW - 2 * HOUR},
     {.accept_from = INT64_MIN, .accept_until = NOW - 1, LOADED, .last_use = NOW - HOUR},
     {ALWAYS, LOADED},
     .expected = KEY_NO_OTHER},
    {"a third one was used",
     {ALWAYS, LOADED, .last_use = NOW - 2 * HOUR},
     {ALWAYS, LOADED},
     {ALWAYS, LOADED, .last_use = NOW},
     .expected = KEY_SAFE_UNUSED},
    {"unused since the daemon's start, which was just now",
     {ALWAYS, .in_file = true, .loaded = true, .since = NOW - HOUR + 1},
     {ALWAYS, LOADED, .last_use = NOW},
     {0},
     .expected = KEY_NEW},
    {"unused since the daemon's start, an hour ago",
     {ALWAYS, .in_file = true, .loaded = true, .since = NOW - HOUR},
     {ALWAYS, LOADED, .last_use = NOW},
     {0},
     .expected = KEY_SAFE_UNUSED},
    {"a dead token of it comes again and again",
     {ALWAYS, LOADED, .last_use = NOW - HOUR, .last_genuine = NOW},
     {ALWAYS, LOADED, .last_use = NOW},
     {0},
     .expected = KEY_SAFE_UNUSED},
    {"the clock was set back after its last use",
     {ALWAYS, LOADED, .last_use = NOW + DAY},
     {ALWAYS, LOADED, .last_use = NOW},
     {0},
     .expected = KEY_IN_USE},
};

static void every_key_is_judged_by_its_dates_and_uses(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const struct key_view keys[] = {rows[i].key, rows[i].other, rows[i].third};
        enum key_safety safety =
            key_safety_judge(keys, LENGTH_OF(keys), 0, NOW, LIFE, !rows[i].no_daemon);

        expect(safety == rows[i].expected, "%s: %d, not %d", rows[i].name, (int)safety,
               (int)rows[i].expected);
    }
}

static void a_long_lived_token_makes_the_waiting_longer(void **state)
{
    const struct key_view keys[] = {{ALWAYS, LOADED, .last_use = NOW - HOUR},
                                    {ALWAYS, LOADED, .last_use = NOW}};

    (void)state;
    assert_int_equal(key_safety_judge(keys, 2, 0, NOW, 1800, true), KEY_SAFE_UNUSED);
    assert_int_equal(key_safety_judge(keys, 2, 0, NOW, 1801, true), KEY_IN_USE);
}

static void two_unused_keys_are_never_both_safe_for_each_others_sake(void **state)
{
    const struct key_view keys[] = {{ALWAYS, LOADED, .last_use = NOW - 2 * HOUR},
                                    {ALWAYS, LOADED, .last_use = NOW - HOUR},
                                    absent};

    (void)state;
    assert_int_equal(key_safety_judge(keys, 3, 0, NOW, LIFE, true), KEY_SAFE_UNUSED);
    assert_int_equal(key_safety_judge(keys, 3, 1, NOW, LIFE, true), KEY_NO_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_judged_by_its_dates_and_uses),
        cmocka_unit_test(a_long_lived_token_makes_the_waiting_longer),
        cmocka_unit_test(two_unused_keys_are_never_both_safe_for_each_others_sake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
