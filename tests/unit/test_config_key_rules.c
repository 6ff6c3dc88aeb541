/* What a host's keys must be beside each other: different, of the kinds that it accepts, and one of
 * them good at any time. */
#include "test_config_rules.h"

#include "base/timestamp.h"
#include "config/key_rules.h"

#if !SANITIZED
static bool memory_is_short; /* once */

void *__libc_calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
    bool fails = memory_is_short;

    memory_is_short = false;
    return fails ? NULL : __libc_calloc(count, size);
}
#endif

#define HOST                "[host h.example]\n"
#define JSXC_SECRET(letter) "accept = v1, jsxc\njsxc_secret = " letter "T4mW9xQz2Lr7VbN5kYc8HdJ\n"

/* Fails unless these are the problems, a warning with W before it and an error with E. */
static void expect_said(const struct problems *problems, const char *const *lines, const char *name)
{
    size_t count = 0;

    for (; lines[count] != NULL; count++) {
        bool warns;

        expect(count < problems_count(problems), "%s: nothing is said of %s", name, lines[count]);
        warns = problems_at(problems, count)->severity == SEVERITY_WARNING;
        expect(strcmp(said(problems, count), lines[count] + 2) == 0, "%s: '%s', not '%s'", name,
               said(problems, count), lines[count] + 2);
        expect(lines[count][0] == (warns ? 'W' : 'E'), "%s: %s", name, lines[count]);
    }
    expect(problems_count(problems) == count, "%s: and '%s'", name, said(problems, count));
}

static void keys_are_different_and_each_kind_of_token_has_its_own(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *problems[4];
    } rows[] = {
        {"one key", HOST KEY_OF("A"), {NULL}},
        {"two keys", HOST KEY_OF("A") "[key h.example b]\n" KEY_OF("B"), {NULL}},
        {"the same key again",
         HOST KEY_OF("A") "[key h.example b]\n" KEY_OF("A"),
         {"E 4: this key is there already, in line 1: another key takes other secrets "
          "(xmpp-authctl keygen)"}},
        {"the first key again, as the third",
         HOST KEY_OF("A") "[key h.example b]\n" KEY_OF("B") "[key h.example c]\n" KEY_OF("A"),
         {"E 7: this key is there already, in line 1: another key takes other secrets "
          "(xmpp-authctl keygen)"}},
        {"the second key again, as the third",
         HOST KEY_OF("A") "[key h.example b]\n" KEY_OF("B") "[key h.example c]\n" KEY_OF("B"),
         {"E 7: this key is there already, in line 4: another key takes other secrets "
          "(xmpp-authctl keygen)"}},
        {"three times the same",
         HOST KEY_OF("A") "[key h.example b]\n" KEY_OF("A") "[key h.example c]\n" KEY_OF("A"),
         {"E 4: this key is there already, in line 1: another key takes other secrets "
          "(xmpp-authctl keygen)",
          "E 7: this key is there already, in line 1: another key takes other secrets "
          "(xmpp-authctl keygen)",
          "E 7: this key is there already, in line 4: another key takes other secrets "
          "(xmpp-authctl keygen)"}},
        {"one secret under two seeds",
         HOST KEY_OF("A") "[key h.example b]\n" SEED_OF("B") SECRET_OF("A"),
         {"W 4: this key has the token_secret of the one in line 1: who knows one of the two keys "
          "knows half of the other"}},
        {"one seed with two secrets",
         HOST KEY_OF("A") "[key h.example b]\n" SEED_OF("A") SECRET_OF("B"),
         {NULL}},
        {"the same key at two hosts", HOST KEY_OF("A") "[host g.example]\n" KEY_OF("A"), {NULL}},
        {"every kind of tokens",
         HOST "accept = v1, v2, jsxc\njsxc_secret = ZT4mW9xQz2Lr7VbN5kYc8HdJ\n" KEY_OF("A"),
         {NULL}},
        {"a kind that there is not",
         HOST "accept = v1, v3\n" KEY_OF("A"),
         {"E 2: accept takes v1, v2 and jsxc"}},
        {"that kind alone",
         HOST "accept = v3\n" KEY_OF("A"),
         {"E 2: accept takes v1, v2 and jsxc"}},
        {"no kind",
         HOST "accept = ,\n" KEY_OF("A"),
         {"E 2: accept names no kind of tokens: v1, v2, jsxc, or several of them"}},
        {"JSXC's tokens without a secret",
         HOST "accept = jsxc\n" KEY_OF("A"),
         {"E 2: JSXC's tokens take a secret of their own: set jsxc_secret"}},
        {"JSXC's tokens under the token_secret",
         HOST JSXC_SECRET("A") KEY_OF("A"),
         {"E 3: this is the token_secret of line 1: JSXC's tokens take a secret of their own"}},
        {"JSXC's tokens under another key's token_secret",
         HOST JSXC_SECRET("B") KEY_OF("A") "[key h.example b]\n" KEY_OF("B"),
         {"E 3: this is the token_secret of line 6: JSXC's tokens take a secret of their own"}},
        {"a second host's mistake",
         "[host g.example]\n" KEY_OF("A") HOST "accept = jsxc\n" KEY_OF("A"),
         {"E 5: JSXC's tokens take a secret of their own: set jsxc_secret"}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct problems *problems = problems_create();
        struct config *config = load_text(rows[i].text, problems);

        expect_said(problems, rows[i].problems, rows[i].name);
        config_destroy(&config);
        problems_destroy(&problems);
    }
}

/* As a rotation has it: the application's file holds the next key already. */
static void a_key_that_the_secrets_file_holds_too_can_go(void **state)
{
    char secrets[FILE_PATH_SIZE], text[1000], line[200];
    struct problems *problems = problems_create();
    const char *const expected[] = {line, NULL};
    struct config *config;

    (void)state;
    write_text(secrets, "[a]\n" KEY_OF("A"));
    snprintf(text, sizeof(text), HOST "secrets_file = %s\n[key h.example b]\n" KEY_OF("A"),
             secrets);
    snprintf(line, sizeof(line),
             "W 3: the secrets_file of line 2 holds this key too: this section can go");
    config = load_text(text, problems);
    assert_non_null(config);
    expect_said(problems, expected, "a secrets_file");
    config_destroy(&config);
    problems_destroy(&problems);
    unlink(secrets);
}

static void a_tokens_life_is_the_longest_that_any_accepted_kind_may_have(void **state)
{
    static const struct {
        const char *settings;
        int64_t life;
    } rows[] = {
        {"", 90},
        {"otp_window = 0\n", 30},
        {"otp_interval = 60\notp_window = 2\n", 300},
        {"accept = v2\n", 30 + 120},
        {"accept = v1, v2\n", 30 + 120},
        {"accept = v1, v2\nmax_lifetime = 59\n", 90},
        {"accept = v1, v2\nmax_lifetime = 61\n", 91},
        {"accept = v2\nmax_lifetime = 10\n", 40},
        {"accept = v2\nmax_lifetime = 10\notp_window = 0\n", 10},
        {"accept = jsxc\njsxc_secret = ZT4mW9xQz2Lr7VbN5kYc8HdJ\n", 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct config *config;
        char text[1000];

        snprintf(text, sizeof(text), HOST "%s" KEY_OF("A"), rows[i].settings);
        config = good_config(text);
        expect(host_token_life(&config->hosts[0]) == rows[i].life, "%s: %lld", rows[i].settings,
               (long long)host_token_life(&config->hosts[0]));
        config_destroy(&config);
    }
}

enum { NOON = 1767225600, KEYS = 4 };

/* A key's dates in seconds after noon; EVER: not set. */
#define EVER INT64_MIN

struct dates {
    int64_t from, until;
};

static void write_date(char *text, size_t size, const char *setting, int64_t seconds)
{
    char date[TIMESTAMP_SIZE];

    if (seconds != EVER)
        snprintf(text + strlen(text), size - strlen(text), "%s = %s\n", setting,
                 timestamp_format(NOON + seconds, date));
}

static struct config *config_with_dates(const struct dates *dates, size_t count,
                                        struct problems *problems)
{
    char text[2000] = HOST;

    for (size_t i = 0; i < count; i++) {
        const char letter = (char)('A' + i);

        snprintf(text + strlen(text), sizeof(text) - strlen(text),
                 "[key h.example %c]\notp_seed = %cFZWIZTHNBVGW3DRO5SXE5DZOVUW64DB\n"
                 "token_secret = %cT4mW9xQz2Lr7VbN5kYc8HdJ\n",
                 letter, letter, letter);
        write_date(text, sizeof(text), "accept_from", dates[i].from);
        write_date(text, sizeof(text), "accept_until", dates[i].until);
    }
    return load_text(text, problems);
}

#define NOBODY_UNTIL(time)                                                                         \
    "W 1: no key of h.example counts before " time ": until then nobody can log in"
#define NOBODY_SINCE(time)                                                                         \
    "W 1: no key of h.example counts since " time                                                  \
    ": nobody can log in; xmpp-authctl rotate h.example makes the next one"
#define NOBODY_BETWEEN(one, other)                                                                 \
    "W 1: no key of h.example counts from " one " to " other ": nobody could log in"
#define TOO_SHORT(time)                                                                            \
    "W 1: the keys of h.example change at " time                                                   \
    " with less than 90 s in which both count: tokens made before would be denied after; let "     \
    "accept_from of the next be earlier, or accept_until later"

static void one_key_counts_at_any_time_and_two_where_one_takes_over(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        struct dates keys[KEYS];
        const char *problems[3];
    } rows[] = {
        {"for ever", 1, {{EVER, EVER}}, {NULL}},
        {"until later", 1, {{EVER, 1}}, {NULL}},
        {"over a second ago", 1, {{EVER, -1}}, {NOBODY_SINCE("2025-12-31T23:59:59Z")}},
        {"from a second ago", 1, {{-1, EVER}}, {NULL}},
        {"from a second on", 1, {{1, EVER}}, {NOBODY_UNTIL("2026-01-01T00:00:01Z")}},
        {"over right now", 1, {{EVER, 0}}, {NOBODY_SINCE("2026-01-01T00:00:00Z")}},
        {"from right now on", 1, {{0, EVER}}, {NULL}},
        {"over right now, the next in half an hour",
         2,
         {{EVER, 0}, {1800, EVER}},
         {NOBODY_BETWEEN("2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z")}},
        {"one that ends with the other takes nothing over",
         2,
         {{EVER, 3600}, {3580, 3600}},
         {NULL}},
        {"not yet, of two the earlier",
         2,
         {{7200, EVER}, {3600, EVER}},
         {NOBODY_UNTIL("2026-01-01T01:00:00Z")}},
        {"taking over with time enough", 2, {{EVER, 3600}, {3510, EVER}}, {NULL}},
        {"taking over a second too late",
         2,
         {{EVER, 3600}, {3511, EVER}},
         {TOO_SHORT("2026-01-01T01:00:00Z")}},
        {"taking over in the same moment",
         2,
         {{EVER, 3600}, {3600, EVER}},
         {TOO_SHORT("2026-01-01T01:00:00Z")}},
        {"a gap of a second",
         2,
         {{EVER, 3600}, {3601, EVER}},
         {NOBODY_BETWEEN("2026-01-01T01:00:00Z", "2026-01-01T01:00:01Z")}},
        {"the same the other way round in the file",
         2,
         {{3601, EVER}, {EVER, 3600}},
         {NOBODY_BETWEEN("2026-01-01T01:00:00Z", "2026-01-01T01:00:01Z")}},
        {"a gap that is over", 2, {{EVER, -3600}, {-1800, EVER}}, {NULL}},
        {"a key that is over, and none yet",
         2,
         {{EVER, -3600}, {1800, EVER}},
         {NOBODY_UNTIL("2026-01-01T00:30:00Z")}},
        {"one that ends within the other's time takes nothing over",
         2,
         {{EVER, 3600}, {1800, 3000}},
         {NULL}},
        {"three in a row, the last too late",
         3,
         {{EVER, 3600}, {1800, 7200}, {7150, EVER}},
         {TOO_SHORT("2026-01-01T02:00:00Z")}},
        {"the changes of long ago are history",
         3,
         {{EVER, -7200}, {-7200, -3600}, {-7200, EVER}},
         {NULL}},
        {"all are over",
         2,
         {{EVER, -7200}, {-7200, -3600}},
         {NOBODY_SINCE("2025-12-31T23:00:00Z")}},
        {"all are over, the last to end first in the file",
         2,
         {{EVER, -3600}, {-7200, -5400}},
         {NOBODY_SINCE("2025-12-31T23:00:00Z")}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct problems *loading = problems_create(), *problems = problems_create();
        struct config *config = config_with_dates(rows[i].keys, rows[i].count, loading);

        expect(config != NULL, "%s", rows[i].name);
        key_rules_check(config, NOON, problems);
        expect_said(problems, rows[i].problems, rows[i].name);
        config_destroy(&config);
        problems_destroy(&problems);
        problems_destroy(&loading);
    }
}

#if !SANITIZED
/* What was not looked at must not pass for good. */
static void keys_that_can_t_be_looked_at_for_want_of_memory_are_an_error(void **state)
{
    struct problems *problems = problems_create();
    struct config *config = good_config(HOST KEY_OF("A"));

    (void)state;
    memory_is_short = true;
    key_rules_check(config, NOON, problems);
    assert_int_equal(problems_count(problems), 1);
    assert_true(problems_have_error(problems));
    /* Of the whole file. */
    assert_string_equal(said(problems, 0), " memory is short");
    config_destroy(&config);
    problems_destroy(&problems);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_different_and_each_kind_of_token_has_its_own),
        cmocka_unit_test(a_key_that_the_secrets_file_holds_too_can_go),
        cmocka_unit_test(a_tokens_life_is_the_longest_that_any_accepted_kind_may_have),
        cmocka_unit_test(one_key_counts_at_any_time_and_two_where_one_takes_over),
#if !SANITIZED
        cmocka_unit_test(keys_that_can_t_be_looked_at_for_want_of_memory_are_an_error),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
