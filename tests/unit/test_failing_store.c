/*
 * The stores, the database of users and the verifier with each of their own calls failing in turn: nothing is spent twice, no forged
 * token fits, nobody who is denied is let in, and what was done before the failure is still known after it.
 */
#include "failing_calls.h"

#include "config/strength.h"
#include "state_fixture.h"
#include "store/accounts.h"
#include "store/journal_store.h"
#include "store/reach.h"
#include "store/state_directory.h"
#include "token/judge.h"

enum { STEP = 30 };

#define ALICE "alice@example.org"
#define BOB   "bob@example.org"

struct login {
    struct spend_waiter waiter; /* first: the store hands it back */
    enum spend_outcome outcome;
};

static void take_outcome(struct spend_waiter *waiter, enum spend_outcome outcome)
{
    ((struct login *)waiter)->outcome = outcome;
}

/* Spends a token in a turn of its own. */
static enum spend_outcome spend(struct spent_store *store, uint64_t name, struct moment now)
{
    struct login login = {.waiter.resolve = take_outcome, .outcome = SPEND_FAILED};
    const struct spend spend = {.id = {.low = name, .high = name * 31 + 7},
                                .first_step = noon / STEP,
                                .filing_step = noon / STEP,
                                .interval = STEP,
                                .window = 1};
    enum spend_outcome outcome = spent_store_spend(store, &spend, now, &login.waiter);

    spent_store_commit(store, now);
    return outcome == SPEND_PENDING ? login.outcome : outcome;
}

static struct spent_store *open_journal(const struct state_fixture *fixture, struct moment now)
{
    const char *incomplete = NULL;

    return journal_store_create(fixture->directory, now, false, &incomplete);
}

/* A journal that may vouch for everything, with token 1 spent. */
static void begin_journal(const struct state_fixture *fixture)
{
    struct spent_store *store;

    empty_state(fixture);
    store = open_journal(fixture, after(-1000000));
    assert_non_null(store);
    spent_store_destroy(&store);
    store = open_journal(fixture, after(0));
    assert_non_null(store);
    assert_int_equal(spend(store, 1, after(0)), SPEND_FRESH);
    spent_store_destroy(&store);
}

static void test_a_token_is_spent_once_whatever_call_of_the_journal_fails(void **state)
{
    const struct state_fixture *fixture = *state;
    size_t descriptors = open_descriptors(), fresh = 0;

    for (long number = 1; number == 1 || call_failed(); number++) {
        enum spend_outcome first = SPEND_FAILED, again = SPEND_FAILED;
        struct spent_store *store;

        hold_calls(true);
        begin_journal(fixture);
        fail_call(number);
        store = open_journal(fixture, after(1));
        if (store != NULL) {
            expect(spend(store, 1, after(1)) != SPEND_FRESH, "call %ld, %s: spent again", number,
                   failing.name);
            first = spend(store, 2, after(1));
            spent_store_tick(store, after(2));
            again = spend(store, 2, after(2));
            spent_store_tick(store, after(200));
        }
        spent_store_destroy(&store);
        calls_succeed();
        expect(first != SPEND_FRESH || again != SPEND_FRESH, "call %ld, %s: twice", number,
               failing.name);
        fresh += first == SPEND_FRESH ? 1 : 0;
        store = open_journal(fixture, after(3));
        assert_non_null(store);
        expect(spend(store, 1, after(3)) != SPEND_FRESH, "call %ld, %s: after a restart", number,
               failing.name);
        expect((first != SPEND_FRESH && again != SPEND_FRESH) ||
                   spend(store, 2, after(3)) != SPEND_FRESH,
               "call %ld, %s: after a restart", number, failing.name);
        spent_store_destroy(&store);
        expect(open_descriptors() == descriptors, "call %ld, %s: a descriptor stays open", number,
               failing.name);
    }
    expect(fresh > 5, "only %zu failures let a token be spent", fresh);
}

/* fsync or fdatasync */
static bool a_sync_failed(void)
{
    return call_failed() && strstr(failing.name, "sync") != NULL;
}

/* The file and its name, each by a call of its own. */
static void test_a_start_waits_until_the_reach_is_on_the_disk(void **state)
{
    const struct state_fixture *fixture = *state;
    const struct reach reach = {.settings = 1, .seconds = {300}};
    struct reach_history history;
    size_t syncs = 0;

    for (long number = 1; number == 1 || call_failed(); number++) {
        int result;

        fail_call(number);
        result = reach_begin(&history, fixture->directory, &reach, after(0));
        calls_succeed();
        if (!a_sync_failed())
            continue;
        syncs++;
        expect(result == -1, "call %ld", number);
    }
    assert_int_equal(syncs, 2);
}

static void test_a_tick_does_not_wait_until_the_reach_is_on_the_disk(void **state)
{
    const struct state_fixture *fixture = *state;
    const struct reach_history history = {.current = {.settings = 1}};

    for (long number = 1; number == 1 || call_failed(); number++) {
        int result;

        fail_call(number);
        result = reach_write(&history, fixture->directory);
        calls_succeed();
        expect(result == (call_failed() ? -1 : 0), "call %ld, %s", number, failing.name);
        expect(!a_sync_failed(), "call %ld", number);
    }
}

static void test_a_memory_store_is_whole_or_not_there(void **state)
{
    (void)state;
    for (long number = 1; number == 1 || call_failed(); number++) {
        struct spent_store *store;

        fail_call(number);
        store = memory_store_create(after(-1000), false);
        if (store != NULL) {
            enum spend_outcome first = spend(store, 1, after(0));

            calls_succeed();
            expect((first == SPEND_FRESH) == (spend(store, 1, after(0)) != SPEND_FRESH),
                   "call %ld, %s", number, failing.name);
        }
        calls_succeed();
        spent_store_destroy(&store);
    }
}

static struct accounts *open_accounts(const struct state_fixture *fixture, const char **error_r)
{
    static const struct accounts_limits limits = {.seen_max = 100, .seen_age_s = 86400};
    char path[64];

    snprintf(path, sizeof(path), "%s/users.db", fixture->path);
    return accounts_open(path, limits, noon, error_r);
}

static void count_row(void *context, const char *jid, size_t length, int64_t time)
{
    (void)jid;
    (void)length;
    (void)time;
    ++*(size_t *)context;
}

/* What was said to be done is done, in memory and for whoever opens the database next; what was not, is not. */
static void test_what_the_operator_was_told_holds_whatever_call_of_the_database_fails(void **state)
{
    const struct state_fixture *fixture = *state;
    const struct accounts_name names[] = {{ALICE, strlen(ALICE)}, {BOB, strlen(BOB)}};
    size_t descriptors = open_descriptors();

    for (long number = 1; number == 1 || call_failed(); number++) {
        bool denied = false, forgotten = false, imported = false, ticked = false, paged = false;
        const char *error = NULL;
        size_t added = 0, rows = 0;
        struct accounts *accounts;

        empty_state(fixture);
        fail_call(number);
        accounts = open_accounts(fixture, &error);
        expect(accounts != NULL || error != NULL, "call %ld, %s: no word of why", number,
               failing.name);
        if (accounts != NULL) {
            imported = accounts_import(accounts, names, 2, noon, &added, &error) == 0;
            denied =
                accounts_deny(accounts, ALICE, strlen(ALICE), DENIED_FOR_EVER, noon * 1000) == 0;
            forgotten = accounts_forget(accounts, BOB, strlen(BOB)) == 0;
            accounts_note_seen(accounts, "carol@example.org", 17, noon);
            ticked = accounts_tick(accounts, noon + 1) == 0;
            paged = accounts_page(accounts, ACCOUNTS_SEEN, "", 0, 10, count_row, &rows) == 0;
            calls_succeed();
            expect(accounts_is_denied(accounts, ALICE, strlen(ALICE), noon) == denied,
                   "call %ld, %s: denied %d", number, failing.name, denied);
            expect(!imported || accounts_has_seen(accounts, ALICE, strlen(ALICE)),
                   "call %ld, %s: not imported", number, failing.name);
            expect(!ticked || !paged || !imported || rows >= 2, "call %ld, %s: listed %zu", number,
                   failing.name, rows);
            expect(!forgotten || !accounts_has_seen(accounts, BOB, strlen(BOB)),
                   "call %ld, %s: not forgotten", number, failing.name);
        }
        calls_succeed();
        accounts_close(&accounts);
        accounts = open_accounts(fixture, &error);
        expect(accounts != NULL, "call %ld, %s: the database does not open any more: %s", number,
               failing.name, error);
        expect(accounts_is_denied(accounts, ALICE, strlen(ALICE), noon) == denied,
               "call %ld, %s: denied %d, reopened", number, failing.name, denied);
        expect(!imported || accounts_has_seen(accounts, ALICE, strlen(ALICE)),
               "call %ld, %s: reopened", number, failing.name);
        accounts_close(&accounts);
        expect(open_descriptors() == descriptors, "call %ld, %s: a descriptor stays open", number,
               failing.name);
    }
}

/* Another daemon could be at work where the lock could not be had. */
static void test_a_state_directory_is_locked_or_not_open(void **state)
{
    const struct state_fixture *fixture = *state;
    size_t descriptors = open_descriptors();

    for (long number = 1; number == 1 || call_failed(); number++) {
        struct state_directory first = {.directory = -1, .lock = -1}, second;
        char error[PATH_ERROR_SIZE] = "";
        int opened;

        fail_call(number);
        opened = state_directory_open(&first, fixture->path, 0, error);
        calls_succeed();
        expect((opened == 0) == (error[0] == '\0'), "call %ld, %s: %s", number, failing.name,
               error);
        if (opened == 0) {
            expect(state_directory_open(&second, fixture->path, 0, error) != 0,
                   "call %ld, %s: two hold it", number, failing.name);
            state_directory_close(&first);
        }
        expect(open_descriptors() == descriptors, "call %ld, %s: a descriptor stays open", number,
               failing.name);
    }
}

#define SECRET "gT4mW9xQz2Lr7VbN5kYc8HdJ"

struct host {
    struct token_format format;
    struct key_fingerprint name;
    struct token_key *key;
    struct jsxc_key *jsxc;
};

static bool make_host(struct host *host)
{
    *host = (struct host){.format = default_format};
    host->format.accepts_v2 = host->format.accepts_jsxc = true;
    host->format.max_lifetime = 120;
    host->format.jsxc_max_lifetime = 3600;
    if (key_fingerprint((const uint8_t *)RFC_SEED, strlen(RFC_SEED), (const uint8_t *)SECRET,
                        strlen(SECRET), &host->name) != 0)
        return false;
    host->key = token_key_create(&host->format, (const uint8_t *)RFC_SEED, strlen(RFC_SEED),
                                 (const uint8_t *)SECRET, strlen(SECRET), any_date);
    host->jsxc = jsxc_key_create((const uint8_t *)SECRET, strlen(SECRET));
    return host->key != NULL && host->jsxc != NULL;
}

static void clear_host(struct host *host)
{
    token_key_destroy(&host->key);
    jsxc_key_destroy(&host->jsxc);
}

static enum reason judged(struct host *host, const char *user, const char *password,
                          int64_t seconds)
{
    const struct judge_keys keys = {&host->key, &host->name, 1, host->jsxc};
    const struct claim claim = {.user = user,
                                .user_length = strlen(user),
                                .host = "example.org",
                                .host_length = 11,
                                .password = password,
                                .password_length = strlen(password)};
    struct token_verdict verdict;

    token_judge(&keys, &host->format, &claim, seconds, &verdict);
    return verdict.reason;
}

/* A token of each kind: genuine ones of v1 and v2, one of v1 that is an hour old, and one that could be JSXC's. */
static void mint_all(char tokens_r[4][V2_LENGTH_MAX + 1])
{
    static const uint8_t nonce[V2_NONCE_SIZE] = {1, 2, 3};
    const char *digits = "00000000000000000000000000000001";
    struct host host;

    assert_true(make_host(&host));
    assert_int_equal(token_mint(host.key, &host.format, "alice", "example.org", noon / STEP, digits,
                                tokens_r[0]),
                     0);
    assert_int_equal(
        token_v2_mint(host.key, &host.name, "alice", "example.org", noon, 60, nonce, tokens_r[1]),
        0);
    assert_int_equal(token_mint(host.key, &host.format, "alice", "example.org", noon / STEP - 120,
                                digits, tokens_r[2]),
                     0);
    copy_text(tokens_r[3], "ABCDEFGHKLMNPQRSTUVWXYZabcdefgh");
    clear_host(&host);
}

static void test_no_failure_makes_a_token_fit_that_does_not(void **state)
{
    char tokens[4][V2_LENGTH_MAX + 1];
    static const bool genuine[] = {true, true, false, false};
    size_t missed = 0;

    (void)state;
    mint_all(tokens);
    for (size_t i = 0; i < LENGTH_OF(tokens); i++) {
        for (long number = 1; number == 1 || call_failed(); number++) {
            enum reason reason = REASON_FORGED, others = REASON_FORGED;
            struct host host;

            fail_call(number);
            if (make_host(&host)) {
                others = judged(&host, "mallory", tokens[i], noon);
                reason = judged(&host, "alice", tokens[i], noon);
            }
            missed += call_failed() ? 1 : 0;
            expect(others != REASON_ALLOWED, "token %zu, call %ld, %s: another's", i, number,
                   failing.name);
            expect(genuine[i] || reason != REASON_ALLOWED,
                   "token %zu, call %ld, %s: it does not count", i, number, failing.name);
            expect(call_failed() || !genuine[i] || reason == REASON_ALLOWED, "token %zu: %d", i,
                   (int)reason);
            calls_succeed();
            clear_host(&host);
        }
    }
    expect(missed > 60, "only %zu calls were missed", missed);
}

static void test_a_token_is_minted_whole_or_not(void **state)
{
    static const uint8_t nonce[V2_NONCE_SIZE] = {1, 2, 3};
    char meant[4][V2_LENGTH_MAX + 1], text[V2_LENGTH_MAX + 1];
    struct host host;

    (void)state;
    mint_all(meant);
    assert_true(make_host(&host));
    for (long number = 1; number == 1 || call_failed(); number++) {
        int minted;

        fail_call(number);
        minted = token_mint(host.key, &host.format, "alice", "example.org", noon / STEP,
                            "00000000000000000000000000000001", text);
        expect(minted != 0 || strcmp(text, meant[0]) == 0, "call %ld, %s: %s", number, failing.name,
               text);
        minted = token_v2_mint(host.key, &host.name, "alice", "example.org", noon, 60, nonce, text);
        calls_succeed();
        expect(minted != 0 || strcmp(text, meant[1]) == 0, "call %ld, %s: %s", number, failing.name,
               text);
    }
    clear_host(&host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(test_a_token_is_spent_once_whatever_call_of_the_journal_fails),
        state_test(test_a_start_waits_until_the_reach_is_on_the_disk),
        state_test(test_a_tick_does_not_wait_until_the_reach_is_on_the_disk),
        cmocka_unit_test(test_a_memory_store_is_whole_or_not_there),
        state_test(test_what_the_operator_was_told_holds_whatever_call_of_the_database_fails),
        state_test(test_a_state_directory_is_locked_or_not_open),
        cmocka_unit_test(test_no_failure_makes_a_token_fit_that_does_not),
        cmocka_unit_test(test_a_token_is_minted_whole_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
