/* Who was ever seen, and who is denied: answered from memory, and still known to whoever opens the
 * database next. */
#include "state_fixture.h"

#include "store/accounts.h"

static const int64_t day = 86400;

static const struct accounts_limits roomy = {.seen_max = 100000,
                                             .seen_age_s = INT64_C(100) * 86400};

static char *path_of(void **state, char path_r[64])
{
    snprintf(path_r, 64, "%s/users.db", ((const struct state_fixture *)*state)->path);
    return path_r;
}

static struct accounts *open_with(void **state, struct accounts_limits limits, int64_t now)
{
    char path[64];
    const char *error = NULL;
    struct accounts *accounts = accounts_open(path_of(state, path), limits, now, &error);

    expect(accounts != NULL, "%s", error);
    return accounts;
}

static struct accounts *open_accounts(void **state)
{
    return open_with(state, roomy, noon);
}

static void see(struct accounts *accounts, const char *jid, int64_t now)
{
    accounts_note_seen(accounts, jid, strlen(jid), now);
}

static bool has_seen(const struct accounts *accounts, const char *jid)
{
    return accounts_has_seen(accounts, jid, strlen(jid));
}

static char *numbered(char jid_r[32], int number)
{
    snprintf(jid_r, 32, "user%d@example.org", number);
    return jid_r;
}

static void the_seen_are_known_at_once_and_after_a_reopening(void **state)
{
    static const char *const names[] = {"alice@example.org", "bob@example.org", "a@b",
                                        "stra\xc3\x9f@example.org", "o'hara\"@example.org"};
    struct accounts *accounts = open_accounts(state);

    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        assert_false(has_seen(accounts, names[i]));
        see(accounts, names[i], noon);
        assert_true(has_seen(accounts, names[i]));
    }
    for (int open = 0; open < 2; open++) {
        for (size_t i = 0; i < LENGTH_OF(names); i++)
            expect(has_seen(accounts, names[i]), "%s", names[i]);
        assert_false(has_seen(accounts, "alice@example.or"));
        assert_false(has_seen(accounts, "ALICE@example.org"));
        assert_false(has_seen(accounts, ""));
        assert_int_equal(accounts_seen_count(accounts), LENGTH_OF(names));
        accounts_close(&accounts);
        assert_null(accounts);
        accounts = open_accounts(state);
    }
    accounts_close(&accounts);
    accounts_close(&accounts);
}

/* The ticks write a share at a time, so that no turn of the event loop waits for many. */
static void what_is_noted_is_written_by_ticks(void **state)
{
    struct accounts *accounts = open_accounts(state);
    struct accounts *reader;
    size_t written = 0;
    char jid[32];

    for (int i = 0; i < 2000; i++)
        see(accounts, numbered(jid, i), noon);
    for (int i = 0; i < 100 && written < 2000; i++) {
        size_t before = written;

        assert_int_equal(accounts_tick(accounts, noon), 0);
        reader = open_accounts(state);
        written = accounts_seen_count(reader);
        accounts_close(&reader);
        expect(written > before && written - before <= 1000, "tick %d: %zu after %zu", i, written,
               before);
    }
    assert_int_equal(written, 2000);
    accounts_close(&accounts);
}

static void a_closing_writes_the_rest(void **state)
{
    struct accounts *accounts = open_accounts(state);
    char jid[32];

    for (int i = 0; i < 2000; i++)
        see(accounts, numbered(jid, i), noon);
    accounts_close(&accounts);
    accounts = open_accounts(state);
    assert_int_equal(accounts_seen_count(accounts), 2000);
    accounts_close(&accounts);
}

static void the_longest_absent_make_room(void **state)
{
    const struct accounts_limits three = {.seen_max = 3, .seen_age_s = 100 * day};
    struct accounts *accounts = open_with(state, three, noon);

    see(accounts, "a@x", noon);
    see(accounts, "b@x", noon + 1);
    see(accounts, "c@x", noon + 2);
    see(accounts, "a@x", noon + 7200);
    see(accounts, "d@x", noon + 7201);
    for (int open = 0; open < 2; open++) {
        assert_int_equal(accounts_seen_count(accounts), 3);
        assert_false(has_seen(accounts, "b@x"));
        assert_true(has_seen(accounts, "a@x") && has_seen(accounts, "c@x") &&
                    has_seen(accounts, "d@x"));
        accounts_close(&accounts);
        accounts = open_with(state, three, noon + 7300);
    }
    accounts_close(&accounts);
}

static void a_lower_limit_lets_the_longest_absent_go(void **state)
{
    struct accounts *accounts = open_accounts(state);
    const struct accounts_limits ten = {.seen_max = 10, .seen_age_s = 100 * day};
    char jid[32];

    for (int i = 0; i < 100; i++)
        see(accounts, numbered(jid, i), noon + i);
    accounts_set_limits(accounts, ten);
    for (int i = 0; i < 3; i++)
        assert_int_equal(accounts_tick(accounts, noon + 100), 0);
    assert_int_equal(accounts_seen_count(accounts), 10);
    assert_true(has_seen(accounts, numbered(jid, 99)));
    assert_false(has_seen(accounts, numbered(jid, 89)));
    accounts_close(&accounts);
    accounts = open_accounts(state);
    assert_int_equal(accounts_seen_count(accounts), 10);
    accounts_close(&accounts);
}

static void the_long_absent_are_forgotten(void **state)
{
    const struct accounts_limits days = {.seen_max = 100, .seen_age_s = 10 * day};
    struct accounts *accounts = open_with(state, days, noon);

    see(accounts, "old@x", noon);
    see(accounts, "back@x", noon);
    see(accounts, "new@x", noon + 5 * day);
    see(accounts, "back@x", noon + 6 * day);
    assert_int_equal(accounts_tick(accounts, noon + 10 * day - 1), 0);
    assert_true(has_seen(accounts, "old@x"));
    assert_int_equal(accounts_tick(accounts, noon + 10 * day), 0);
    assert_false(has_seen(accounts, "old@x"));
    assert_true(has_seen(accounts, "back@x") && has_seen(accounts, "new@x"));
    accounts_close(&accounts);
    accounts = open_with(state, days, noon + 15 * day);
    assert_true(has_seen(accounts, "back@x"));
    assert_false(has_seen(accounts, "new@x") || has_seen(accounts, "old@x"));
    accounts_close(&accounts);
}

static void the_forgotten_are_forgotten_for_the_next_opening(void **state)
{
    struct accounts *accounts = open_accounts(state);
    struct accounts *reader;

    see(accounts, "a@x", noon);
    see(accounts, "b@x", noon);
    assert_int_equal(accounts_tick(accounts, noon), 0);
    see(accounts, "c@x", noon);
    assert_int_equal(accounts_forget(accounts, "a@x", 3), 0);
    assert_int_equal(accounts_forget(accounts, "c@x", 3), 0);
    assert_int_equal(accounts_forget(accounts, "nobody@x", 8), 0);
    assert_false(has_seen(accounts, "a@x") || has_seen(accounts, "c@x"));
    /* On the disk already, whatever becomes of the one that forgot. */
    reader = open_accounts(state);
    assert_false(has_seen(reader, "a@x") || has_seen(reader, "c@x"));
    assert_true(has_seen(reader, "b@x"));
    accounts_close(&reader);
    assert_int_equal(accounts_tick(accounts, noon), 0);
    accounts_close(&accounts);
    accounts = open_accounts(state);
    assert_int_equal(accounts_seen_count(accounts), 1);
    accounts_close(&accounts);
}

/* Whoever was denied must not get in because a file is damaged. */
static void a_damaged_database_is_refused(void **state)
{
    const struct state_fixture *fixture = *state;
    uint8_t content[FILE_MAX];
    struct accounts *accounts = open_accounts(state);
    char path[64], jid[32];
    ssize_t size;

    for (int i = 0; i < 100; i++)
        see(accounts, numbered(jid, i), noon);
    accounts_close(&accounts);
    size = read_file(fixture->directory, "users.db", content);
    assert_in_range(size, 4096, FILE_MAX);
    if (size < 0)
        return;
    for (int damage = 0; damage < 4; damage++) {
        uint8_t damaged[FILE_MAX];
        const char *error = NULL;

        memcpy(damaged, content, (size_t)size);
        if (damage == 0)
            memset(damaged, 0x5a, 100); /* no database at all */
        else if (damage == 1)
            memset(damaged + 100, 0xff, (size_t)size - 100);
        else if (damage == 2)
            memset(damaged + 4096, 0xff, (size_t)size - 4096); /* every page but the first */
        empty_state(fixture);
        write_file(fixture->directory, "users.db", damaged,
                   damage == 3 ? (size_t)size / 2 - 1000 : (size_t)size);
        accounts = accounts_open(path_of(state, path), roomy, noon, &error);
        expect(accounts == NULL && error != NULL, "damage %d", damage);
    }
    empty_state(fixture);
    write_file(fixture->directory, "users.db", content, (size_t)size);
    accounts = open_accounts(state);
    assert_int_equal(accounts_seen_count(accounts), 100);
    accounts_close(&accounts);
}

static void a_path_that_is_no_file_is_refused(void **state)
{
    const struct state_fixture *fixture = *state;
    const char *error = NULL;
    char path[64];

    assert_int_equal(mkdirat(fixture->directory, "users.db", 0700), 0);
    assert_null(accounts_open(path_of(state, path), roomy, noon, &error));
    assert_non_null(error);
    assert_null(accounts_open("/nonexistent/users.db", roomy, noon, &error));
}

static void a_tick_that_can_not_write_is_tried_again(void **state)
{
    struct accounts *accounts = open_accounts(state);
    struct accounts *reader;
    char jid[32];

    for (int i = 0; i < 100; i++)
        see(accounts, numbered(jid, i), noon);
    limit_files(0);
    assert_int_equal(accounts_tick(accounts, noon), -1);
    assert_int_equal(accounts_tick(accounts, noon), -1);
    unlimit_files();
    assert_true(has_seen(accounts, "user5@example.org"));
    assert_int_equal(accounts_tick(accounts, noon), 0);
    reader = open_accounts(state);
    assert_int_equal(accounts_seen_count(reader), 100);
    accounts_close(&reader);
    accounts_close(&accounts);
}

static bool is_denied(const struct accounts *accounts, const char *jid, int64_t now)
{
    return accounts_is_denied(accounts, jid, strlen(jid), now);
}

static void a_denial_holds_up_to_its_end_and_over_a_reopening(void **state)
{
    struct accounts *accounts = open_accounts(state);
    struct accounts *reader;

    assert_int_equal(accounts_deny(accounts, "m@x", 3, noon + 100, noon * 1000), 0);
    assert_int_equal(accounts_deny(accounts, "e@x", 3, DENIED_FOR_EVER, noon * 1000), 0);
    /* On the disk already: no tick, and no closing. */
    reader = open_accounts(state);
    for (int handle = 0; handle < 2; handle++) {
        const struct accounts *either = handle == 0 ? accounts : reader;

        assert_true(is_denied(either, "m@x", noon + 99));
        assert_false(is_denied(either, "m@x", noon + 100));
        assert_true(is_denied(either, "e@x", INT64_MAX - 1));
        assert_false(is_denied(either, "M@x", noon) || is_denied(either, "m@", noon) ||
                     is_denied(either, "m@xx", noon));
        assert_int_equal(accounts_denied_at(either, noon), 2);
        assert_int_equal(accounts_denied_at(either, noon + 100), 1);
    }
    accounts_close(&reader);
    accounts_close(&accounts);
}

static void an_allowed_user_is_let_in_again_for_good(void **state)
{
    struct accounts *accounts = open_accounts(state);
    struct accounts *reader;

    assert_int_equal(accounts_deny(accounts, "m@x", 3, DENIED_FOR_EVER, noon * 1000), 0);
    assert_int_equal(accounts_allow(accounts, "m@x", 3, noon * 1000 + 1), 0);
    assert_int_equal(accounts_allow(accounts, "nobody@x", 8, noon * 1000), 0);
    assert_false(is_denied(accounts, "m@x", noon));
    reader = open_accounts(state);
    assert_false(is_denied(reader, "m@x", noon));
    accounts_close(&reader);
    assert_int_equal(accounts_deny(accounts, "m@x", 3, noon + 5, noon * 1000 + 2), 0);
    assert_true(is_denied(accounts, "m@x", noon));
    accounts_close(&accounts);
    accounts = open_accounts(state);
    assert_true(is_denied(accounts, "m@x", noon));
    assert_int_equal(accounts_denied_at(accounts, noon), 1);
    accounts_close(&accounts);
}

static void a_word_that_can_not_be_written_changes_nothing(void **state)
{
    struct accounts *accounts = open_accounts(state);

    assert_int_equal(accounts_deny(accounts, "m@x", 3, DENIED_FOR_EVER, noon * 1000), 0);
    limit_files(0);
    assert_int_equal(accounts_deny(accounts, "other@x", 7, DENIED_FOR_EVER, noon * 1000 + 1), -1);
    assert_int_equal(accounts_deny(accounts, "m@x", 3, noon + 1, noon * 1000 + 1), -1);
    assert_int_equal(accounts_allow(accounts, "m@x", 3, noon * 1000 + 1), -1);
    unlimit_files();
    assert_false(is_denied(accounts, "other@x", noon));
    assert_true(is_denied(accounts, "m@x", noon + 1000));
    assert_int_equal(accounts_allow(accounts, "m@x", 3, noon * 1000 + 2), 0);
    assert_false(is_denied(accounts, "m@x", noon));
    accounts_close(&accounts);
}

static void denials_have_no_limit_and_do_not_age(void **state)
{
    const struct accounts_limits one = {.seen_max = 1, .seen_age_s = day};
    struct accounts *accounts = open_with(state, one, noon);
    char jid[32];

    for (int i = 0; i < 50; i++) {
        numbered(jid, i);
        assert_int_equal(
            accounts_deny(accounts, jid, strlen(jid), DENIED_FOR_EVER, noon * 1000 + i), 0);
    }
    accounts_close(&accounts);
    accounts = open_with(state, one, noon + 1000 * day);
    assert_int_equal(accounts_denied_at(accounts, noon + 1000 * day), 50);
    accounts_close(&accounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(the_seen_are_known_at_once_and_after_a_reopening),
        state_test(what_is_noted_is_written_by_ticks),
        state_test(a_closing_writes_the_rest),
        state_test(the_longest_absent_make_room),
        state_test(a_lower_limit_lets_the_longest_absent_go),
        state_test(the_long_absent_are_forgotten),
        state_test(the_forgotten_are_forgotten_for_the_next_opening),
        state_test(a_damaged_database_is_refused),
        state_test(a_path_that_is_no_file_is_refused),
        state_test(a_tick_that_can_not_write_is_tried_again),
        state_test(a_denial_holds_up_to_its_end_and_over_a_reopening),
        state_test(an_allowed_user_is_let_in_again_for_good),
        state_test(a_word_that_can_not_be_written_changes_nothing),
        state_test(denials_have_no_limit_and_do_not_age),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
