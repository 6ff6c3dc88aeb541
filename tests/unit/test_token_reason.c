/* One word for each verdict, the same everywhere. */
#include "vectors.h"

#include "token/reason.h"

static const struct {
    enum reason reason;
    const char *word;
    bool undecided;
} rows[] = {
    {REASON_ALLOWED, "allowed", false},
    {REASON_MALFORMED, "malformed", false},
    {REASON_UNKNOWN_HOST, "unknown-host", false},
    {REASON_FORGED, "forged", false},
    {REASON_WRONG_OTP, "wrong-otp", false},
    {REASON_EXPIRED, "expired", false},
    {REASON_EARLY, "early", false},
    {REASON_KEY_RETIRED, "key-retired", false},
    {REASON_REVOKED, "revoked", false},
    {REASON_STARTING, "starting", true},
    {REASON_REPLAYED, "replayed", false},
    {REASON_UNSUPPORTED, "unsupported", false},
    {REASON_UNKNOWN_USER, "unknown-user", false},
    {REASON_STORE_ERROR, "store-error", true},
};

static void every_reason_has_its_word(void **state)
{
    (void)state;
    assert_int_equal(LENGTH_OF(rows), REASON_COUNT);
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        assert_string_equal(reason_word(rows[i].reason), rows[i].word);
}

static void only_starting_and_store_error_are_undecided(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(reason_is_undecided(rows[i].reason) == rows[i].undecided, "%s", rows[i].word);
}

/* A zeroed verdict would read as allowed, so the verifier must fill it in whatever it is given. */
static void without_a_key_or_a_token_the_verdict_is_a_deny(void **state)
{
    struct claim nothing = claim_of("", "", "");
    struct token_verdict verdict;

    (void)state;
    memset(&verdict, 0, sizeof(verdict));
    token_verify(NULL, 0, &default_format, &nothing, 0, &verdict);
    assert_int_equal(verdict.reason, REASON_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_its_word),
        cmocka_unit_test(only_starting_and_store_error_are_undecided),
        cmocka_unit_test(without_a_key_or_a_token_the_verdict_is_a_deny),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
