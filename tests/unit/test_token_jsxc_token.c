/* JSXC's tokens: those of another implementation fit, in their one spelling and no other, for the
 * names that were signed. */
#include "vectors.h"

#include "token/jsxc_token.h"

#define SECRET "test.vectors+only/never=use_them~elsewhere,2026"
#define USUAL  "ADV/rQY/REjRprn4fB905vxV8W%VxxA"

static struct jsxc_key *key_from(const char *secret)
{
    struct jsxc_key *key = jsxc_key_create((const uint8_t *)secret, strlen(secret));

    assert_non_null(key);
    return key;
}

static struct text text_of(const char *text)
{
    return (struct text){text, strlen(text)};
}

/* A text of 31 characters at the end of its memory. */
static bool parses(const char *text, size_t length, struct jsxc_token *token_r)
{
    char *exact = exact_copy(text, length);
    bool parsed = jsxc_token_parse(exact, length, token_r) == 0;

    free(exact);
    return parsed;
}

/* Published in tests/vectors, and made by an independent program. */
static void published_tokens_fit_their_user_and_host_alone(void **state)
{
    static const struct {
        const char *secret, *user;
        int64_t expiry;
        const char *token;
    } rows[] = {
        {SECRET, "alice", 1767229200, USUAL},
        {SECRET, "alice", 1767229201, "APa-FGX8bFa2tn4k/qyFQ9tV8W%VxxE"},
        {SECRET, "alice", 4294967295, "AHzogsH-dLz+-/x9K6oF/-5V8f////8"},
        {SECRET, "alice", 1, "AP99HbeF$w2Nj7NCsPT3X7%V8QAAAAE"},
        {SECRET, "1admin", 1767229200, "ANTJ7Zkw/wUZ9gaLG//UE$9V8W%VxxA"},
        {"74d705c132f0c2c795771e23dca5a79ead6f7c56d90b01615cb6a8cf111f1f1d", "alice", 1767229200,
         "AGd028-FJLzLYTbsBWcm6%51GG%VxxA"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct jsxc_key *key = key_from(rows[i].secret), *other = key_from("another secret");
        uint8_t mac[JSXC_MAC_SIZE];
        struct jsxc_token token;

        expect(parses(rows[i].token, strlen(rows[i].token), &token), "row %zu", i);
        expect(token.expiry == rows[i].expiry, "row %zu: %lld", i, (long long)token.expiry);
        expect(jsxc_token_fits(key, &token, text_of(rows[i].user), text_of("example.org"), mac),
               "row %zu", i);
        expect(memcmp(mac, token.mac, sizeof(mac)) == 0, "row %zu", i);
        expect(!jsxc_token_fits(key, &token, text_of("bob"), text_of("example.org"), mac),
               "row %zu", i);
        expect(!jsxc_token_fits(key, &token, text_of(rows[i].user), text_of("example.com"), mac),
               "row %zu", i);
        expect(!jsxc_token_fits(other, &token, text_of(rows[i].user), text_of("example.org"), mac),
               "row %zu", i);
        /* The right MAC under the name of another secret. */
        token.secret_id[i % JSXC_ID_SIZE] ^= 1;
        expect(!jsxc_token_fits(key, &token, text_of(rows[i].user), text_of("example.org"), mac),
               "row %zu", i);
        jsxc_key_destroy(&key);
        jsxc_key_destroy(&other);
        assert_null(key);
    }
}

/* Else one token could be presented under several spellings. */
static void letters_and_signs_are_never_written_for_each_other(void **state)
{
    static const struct {
        const char *name, *text;
    } rows[] = {
        {"l for %", "ADV/rQY/REjRprn4fB905vxV8WlVxxA"},
        {"O for -", "APaOFGX8bFa2tn4k/qyFQ9tV8W%VxxE"},
        {"I for $", "AP99HbeFIw2Nj7NCsPT3X7%V8QAAAAE"},
        {"= within", "ADV/rQY/REjRprn4fB905vxV8W=VxxA"},
        {"_ for /", "ADV_rQY/REjRprn4fB905vxV8W%VxxA"},
        {"= at the end", "ADV/rQY/REjRprn4fB905vxV8W%Vxx="},
        {"bits left over in the last letter", "ADV/rQY/REjRprn4fB905vxV8W%VxxB"},
        {"another version", "AQV/rQY/REjRprn4fB905vxV8W%VxxA"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct jsxc_token token;

        expect(strlen(rows[i].text) == JSXC_LENGTH, "%s", rows[i].name);
        expect(!parses(rows[i].text, JSXC_LENGTH, &token), "%s", rows[i].name);
    }
}

static void every_other_length_is_refused(void **state)
{
    char text[64];

    (void)state;
    memset(text, 'A', sizeof(text));
    memcpy(text, USUAL, JSXC_LENGTH);
    for (size_t length = 0; length < sizeof(text); length++) {
        struct jsxc_token token;

        expect(parses(text, length, &token) == (length == JSXC_LENGTH), "length %zu", length);
    }
}

static void names_up_to_the_longest_have_a_mac_and_longer_ones_none(void **state)
{
    static const uint8_t zeros[JSXC_MAC_SIZE];
    struct jsxc_key *key = key_from(SECRET);
    char *user = malloc(TOKEN_JID_MAX + 1);
    struct jsxc_token token = {.expiry = 1767229200};

    (void)state;
    assert_non_null(user);
    memset(user, 'u', TOKEN_JID_MAX + 1);
    for (size_t length = TOKEN_JID_MAX - 10; length <= TOKEN_JID_MAX + 1; length++) {
        bool fits = length + 1 + 3 <= TOKEN_JID_MAX;
        uint8_t mac[JSXC_MAC_SIZE];

        memset(mac, 0xff, sizeof(mac));
        assert_false(
            jsxc_token_fits(key, &token, (struct text){user, length}, text_of("h.h"), mac));
        expect((memcmp(mac, zeros, sizeof(mac)) != 0) == fits, "user of %zu bytes", length);
    }
    free(user);
    jsxc_key_destroy(&key);
    jsxc_key_destroy(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_tokens_fit_their_user_and_host_alone),
        cmocka_unit_test(letters_and_signs_are_never_written_for_each_other),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(names_up_to_the_longest_have_a_mac_and_longer_ones_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
