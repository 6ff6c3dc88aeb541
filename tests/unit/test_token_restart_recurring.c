/* A start between two steps that give the same OTP. */
#include "vectors.h"

#include "store/spent_store.h"

static void resolved(struct spend_waiter *waiter, enum spend_outcome outcome)
{
    (void)waiter;
    (void)outcome;
}

static enum spend_outcome present(struct spent_store *store, int64_t step)
{
    struct token_key *key = key_of(&default_format, RFC_SEED, "secret");
    struct spend_waiter waiter = {.resolve = resolved};
    char text[TOKEN_LENGTH_MAX + 1];
    struct token_verdict verdict;
    struct spend spend;
    struct moment now = {.wall_ms = step * 30000, .boot_ms = step * 30000 - 1};
    enum spend_outcome outcome;

    assert_int_equal(
        token_mint(key, &default_format, "alice", "example.org", 74194138, NONCE_32, text), 0);
    verdict = verdict_of(key, &default_format, "alice", "example.org", text, step * 30);
    assert_int_equal(verdict.reason, REASON_ALLOWED);
    spend = (struct spend){.id = signature_id_of(verdict.signature),
                           .first_step = verdict.steps.first,
                           .filing_step = verdict.steps.last,
                           .interval = 30,
                           .window = 1};
    outcome = spent_store_spend(store, &spend, now, &waiter);
    token_key_destroy(&key);
    return outcome;
}

static void a_recurring_otp_spent_before_a_restart_is_not_fresh_after_it(void **state)
{
    int64_t restart = 74194138;
    struct spent_store *before = memory_store_create((struct moment){.wall_ms = 0}, false);
    struct spent_store *after = memory_store_create(
        (struct moment){.wall_ms = restart * 30000, .boot_ms = restart * 30000 - 1}, false);

    (void)state;
    assert_int_equal(present(before, 74194137), SPEND_FRESH);
    for (int64_t step = restart; step <= 74194141; step++)
        expect(present(after, step) == SPEND_STARTING, "at step %lld", (long long)step);
    spent_store_destroy(&before);
    spent_store_destroy(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recurring_otp_spent_before_a_restart_is_not_fresh_after_it)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
