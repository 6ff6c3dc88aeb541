/* The token, v2: what is published in tests/vectors, both ways, its one spelling, and its bounds. */
#include "vectors.h"

#include "token/judge.h"
#include "token/token_v2.h"

#define SECRET "test.vectors+only/never=use_them~elsewhere,2026"

static struct token_format format_of_v2(void)
{
    struct token_format format = default_format;

    format.accepts_v2 = true;
    format.max_lifetime = 900;
    return format;
}

static struct key_fingerprint name_of(const char *secret)
{
    struct key_fingerprint name;

    assert_int_equal(key_fingerprint((const uint8_t *)RFC_SEED, strlen(RFC_SEED),
                                     (const uint8_t *)secret, strlen(secret), &name),
                     0);
    return name;
}

static bool parses(const char *text, size_t length, struct token_v2 *token_r)
{
    char *exact = exact_copy(text, length);
    bool parsed = token_v2_parse(exact, length, token_r) == 0;

    free(exact);
    return parsed;
}

static void published_tokens_are_minted_and_allowed(void **state)
{
    static const struct {
        const char *name, *secret, *user, *host;
        int64_t issued;
        unsigned lifetime;
        const char *nonce, *token;
    } rows[] = {
        {"usual", SECRET, "alice", "example.org", 1767225600, 60,
         "905301bf736f9b791431037c6c25dc99",
         "v2.46e6f78a11cdbdcc.1767225600.60.kFMBv3Nvm3kUMQN8bCXcmQ."
         "V6TapUTAC2yJG7yJ4zyHxHIUz5GvAzu5M1zh8ZTk0-o"},
        {"shortest", SECRET, "a", "b", 1, 1, "bcedd635dbf400e6b5cf0ed53c14cc30",
         "v2.46e6f78a11cdbdcc.1.1.vO3WNdv0AOa1zw7VPBTMMA.octKOo6W-O4cxm6OwKwbhVR6AU_NKRDmg_"
         "xPzRlCUIw"},
        {"longest-numbers", SECRET, "alice", "example.org", 253402300799, 3600,
         "761287df153c8f676cd0d34b73ec4736",
         "v2.46e6f78a11cdbdcc.253402300799.3600.dhKH3xU8j2ds0NNLc-xHNg."
         "7m2kP5Xs2zstYs9AHf4d37pOANa7T2HdEAfn9tR30f8"},
        {"nonce-of-zeros", SECRET, "alice", "example.org", 1767225600, 60,
         "00000000000000000000000000000000",
         "v2.46e6f78a11cdbdcc.1767225600.60.AAAAAAAAAAAAAAAAAAAAAA.O3YtbISTYT7bVKtfxLf4OQcDEiP_"
         "J1TVcC5yyjKUCV4"},
        {"nonce-of-ones", SECRET, "alice", "example.org", 1767225600, 60,
         "ffffffffffffffffffffffffffffffff",
         "v2.46e6f78a11cdbdcc.1767225600.60._____________________w."
         "mRI2WmYLjrBw4Hrpys9TlyBl4XGR7VHWTQ6-RGgII7o"},
        {"border-of-names", SECRET, "ab", "c", 1767225600, 60, "bb15f83b219cd490e3eeff331903121b",
         "v2.46e6f78a11cdbdcc.1767225600.60.uxX4OyGc1JDj7v8zGQMSGw."
         "TxV4vZE9uBoqwqkmL8n67LyAHAaKOQqvtxpI1ppfff4"},
        {"border-of-names-a-byte-on", SECRET, "a", "bc", 1767225600, 60,
         "f6c0ca2569b0f4e2e11f7e6f65bd089b",
         "v2.46e6f78a11cdbdcc.1767225600.60.9sDKJWmw9OLhH35vZb0Imw.NdZjqlxO96IHCnKFlODWeMhSY9IFnT_"
         "6VUT3tt_vl6o"},
        {"border-of-numbers", SECRET, "alice", "example.org", 17672256001, 60,
         "00000000000000000000000000000000",
         "v2.46e6f78a11cdbdcc.17672256001.60.AAAAAAAAAAAAAAAAAAAAAA.7N8WEJK722fjxZrubTknPgb5A-"
         "xkVOEajijJYzy5JPk"},
        {"border-of-numbers-a-digit-on", SECRET, "alice", "example.org", 1767225600, 160,
         "00000000000000000000000000000000",
         "v2.46e6f78a11cdbdcc.1767225600.160.AAAAAAAAAAAAAAAAAAAAAA.0_yu7HNSZ3AgFCj-"
         "t4GLuORvJZmZ0RJP1sEEJFZBfrc"},
        {"secret-looks-like-base32", "KRUGKIDROVUWG2ZAMJZG653OEBTG66BA", "alice", "example.org",
         1767225600, 60, "2e8cd4073a29d5adc8a3183419aa1d0e",
         "v2.3413899996d8e2d0.1767225600.60.LozUBzop1a3Ioxg0GaodDg."
         "iKPx95nibgU2SWcslKIYa7V31kINS02RzwTBozrrxVU"},
    };
    struct token_format format = format_of_v2();

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_key *key = key_of(&format, RFC_SEED, rows[i].secret);
        struct key_fingerprint name = name_of(rows[i].secret);
        const struct judge_keys keys = {&key, &name, 1, NULL};
        const struct claim claim = claim_of(rows[i].user, rows[i].host, rows[i].token);
        struct token_verdict verdict;
        uint8_t nonce[V2_NONCE_SIZE];
        char text[V2_LENGTH_MAX + 1];
        struct token_v2 token;

        assert_int_equal(from_hex(rows[i].nonce, nonce), V2_NONCE_SIZE);
        expect(token_v2_mint(key, &name, rows[i].user, rows[i].host, rows[i].issued,
                             rows[i].lifetime, nonce, text) == 0,
               "%s", rows[i].name);
        expect(strcmp(text, rows[i].token) == 0, "%s: %s", rows[i].name, text);
        expect(parses(text, strlen(text), &token), "%s", rows[i].name);
        expect(token.issued == rows[i].issued && token.lifetime == rows[i].lifetime, "%s",
               rows[i].name);
        token_judge(&keys, &format, &claim, rows[i].issued, &verdict);
        expect(verdict.reason == REASON_ALLOWED, "%s: %s", rows[i].name,
               reason_word(verdict.reason));
        token_key_destroy(&key);
    }
}

#define NAME      "46e6f78a11cdbdcc"
#define NONCE     "kFMBv3Nvm3kUMQN8bCXcmQ"
#define SIGNATURE "V6TapUTAC2yJG7yJ4zyHxHIUz5GvAzu5M1zh8ZTk0-o"

static void a_token_has_one_spelling(void **state)
{
    static const struct {
        const char *name, *text;
        bool is_token;
    } rows[] = {
        {"as minted", "v2." NAME ".1767225600.60." NONCE "." SIGNATURE, true},
        {"the longest", "v2." NAME ".253402300799.3600." NONCE "." SIGNATURE, true},
        {"twelve digits of time", "v2." NAME ".999999999999.1." NONCE "." SIGNATURE, true},
        {"thirteen", "v2." NAME ".1000000000000.1." NONCE "." SIGNATURE, false},
        {"a second more than an hour", "v2." NAME ".1.3601." NONCE "." SIGNATURE, false},
        {"five digits of lifetime", "v2." NAME ".1.10000." NONCE "." SIGNATURE, false},
        {"no time", "v2." NAME "..60." NONCE "." SIGNATURE, false},
        {"no lifetime", "v2." NAME ".1.." NONCE "." SIGNATURE, false},
        {"a lifetime of 0", "v2." NAME ".1.0." NONCE "." SIGNATURE, false},
        {"a zero in front of the time", "v2." NAME ".01.60." NONCE "." SIGNATURE, false},
        {"a zero in front of the lifetime", "v2." NAME ".1.060." NONCE "." SIGNATURE, false},
        {"a sign", "v2." NAME ".+1.60." NONCE "." SIGNATURE, false},
        {"what stands before the digits", "v2." NAME ".1/.60." NONCE "." SIGNATURE, false},
        {"what stands behind the digits", "v2." NAME ".1:.60." NONCE "." SIGNATURE, false},
        {"another version", "v3." NAME ".1.60." NONCE "." SIGNATURE, false},
        {"a longer version", "v22." NAME ".1.60." NONCE "." SIGNATURE, false},
        {"a shorter version", "v." NAME ".1.60." NONCE "." SIGNATURE, false},
        {"a name of every digit", "v2.0123456789abcdef.1.60." NONCE "." SIGNATURE, true},
        {"a name in upper case", "v2.46E6F78A11CDBDCC.1.60." NONCE "." SIGNATURE, false},
        {"a name with g", "v2.46e6f78a11cdbdcg.1.60." NONCE "." SIGNATURE, false},
        {"a name that begins with g", "v2.g6e6f78a11cdbdcc.1.60." NONCE "." SIGNATURE, false},
        {"a name with `", "v2.46e6f78a11cdbdc`.1.60." NONCE "." SIGNATURE, false},
        {"a name with /", "v2.46e6f78a11cdbdc/.1.60." NONCE "." SIGNATURE, false},
        {"a name with :", "v2.46e6f78a11cdbdc:.1.60." NONCE "." SIGNATURE, false},
        {"a shorter name", "v2.46e6f78a11cdbdc.1.60." NONCE "." SIGNATURE, false},
        {"a longer name", "v2.46e6f78a11cdbdcc0.1.60." NONCE "." SIGNATURE, false},
        {"every sign of base64url", "v2." NAME ".1.60.ABCXYZabcxyz0189-_MNmg." SIGNATURE, true},
        {"+ for -", "v2." NAME ".1.60." NONCE ".V6TapUTAC2yJG7yJ4zyHxHIUz5GvAzu5M1zh8ZTk0+o",
         false},
        {"/ for _", "v2." NAME ".1.60.AB/XYZabcxyz0189-_MNmg." SIGNATURE, false},
        {"= at the end", "v2." NAME ".1.60.ABCXYZabcxyz0189-_MNm=." SIGNATURE, false},
        {"a shorter nonce", "v2." NAME ".1.60.kFMBv3Nvm3kUMQN8bCXcm." SIGNATURE, false},
        {"a longer nonce", "v2." NAME ".1.60." NONCE "A." SIGNATURE, false},
        {"bits left over in the nonce", "v2." NAME ".1.60.kFMBv3Nvm3kUMQN8bCXcmR." SIGNATURE,
         false},
        {"a shorter signature",
         "v2." NAME ".1.60." NONCE ".V6TapUTAC2yJG7yJ4zyHxHIUz5GvAzu5M1zh8ZTk0-", false},
        {"a longer signature", "v2." NAME ".1.60." NONCE "." SIGNATURE "A", false},
        {"a field more", "v2." NAME ".1.60." NONCE "." SIGNATURE ".", false},
        {"a field less", "v2." NAME ".1.60." NONCE SIGNATURE, false},
        {"dots alone", ".....", false},
        {"nothing", "", false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_v2 token;

        expect(parses(rows[i].text, strlen(rows[i].text), &token) == rows[i].is_token, "%s",
               rows[i].name);
        if (rows[i].is_token)
            expect(token.fields[V2_NONCE].length == V2_NONCE_LENGTH, "%s", rows[i].name);
    }
}

static void names_up_to_the_longest_are_signed_and_longer_ones_not(void **state)
{
    static const uint8_t nonce[V2_NONCE_SIZE] = {1};
    struct token_format format = format_of_v2();
    struct token_key *key = key_of(&format, RFC_SEED, SECRET);
    struct key_fingerprint name = name_of(SECRET);
    char *user = malloc(TOKEN_JID_MAX + 2);
    char text[V2_LENGTH_MAX + 1];

    (void)state;
    assert_non_null(user);
    memset(user, 'u', TOKEN_JID_MAX + 1);
    for (size_t length = TOKEN_JID_MAX - 5; length <= TOKEN_JID_MAX + 1; length++) {
        user[length] = '\0';
        expect((token_v2_mint(key, &name, user, "h.h", 253402300799, 3600, nonce, text) == 0) ==
                   (length + 3 <= TOKEN_JID_MAX),
               "user of %zu bytes", length);
        expect((token_v2_mint(key, &name, "u", user, 253402300799, 3600, nonce, text) == 0) ==
                   (length + 1 <= TOKEN_JID_MAX),
               "host of %zu bytes", length);
        user[length] = 'u';
    }
    /* All of it the user's. */
    user[TOKEN_JID_MAX] = '\0';
    assert_int_equal(token_v2_mint(key, &name, user, "", 1, 1, nonce, text), 0);
    assert_int_equal(token_v2_mint(key, &name, "", user, 1, 1, nonce, text), 0);
    free(user);
    token_key_destroy(&key);
}

/* A key whose format takes no v2 has none to sign it with. */
/* The length stands before each in four bytes; the signature is of the specification's lines, by another program. */
static void a_long_name_counts_in_full(void **state)
{
    static const uint8_t nonce[V2_NONCE_SIZE] = {0};
    struct token_format format = format_of_v2();
    struct token_key *key = key_of(&format, RFC_SEED, SECRET);
    struct key_fingerprint name = name_of(SECRET);
    char user[0x1203 + 1], host[0x203 + 1], text[V2_LENGTH_MAX + 1];

    (void)state;
    memset(user, 'u', sizeof(user));
    memset(host, 'h', sizeof(host));
    user[sizeof(user) - 1] = host[sizeof(host) - 1] = '\0';
    assert_int_equal(token_v2_mint(key, &name, user, host, 1767225600, 60, nonce, text), 0);
    assert_string_equal(text, "v2.46e6f78a11cdbdcc.1767225600.60.AAAAAAAAAAAAAAAAAAAAAA."
                              "jON0Z7duvKyXYkAgD2Q_lLRFzq0ObMIRjuqCyybJ9lI");
    token_key_destroy(&key);
}

static void without_v2_nothing_is_signed(void **state)
{
    static const uint8_t nonce[V2_NONCE_SIZE] = {1};
    struct token_key *key = key_of(&default_format, RFC_SEED, SECRET);
    struct key_fingerprint name = name_of(SECRET);
    char text[V2_LENGTH_MAX + 1];

    (void)state;
    assert_int_equal(token_v2_mint(key, &name, "alice", "example.org", 1, 1, nonce, text), -1);
    token_key_destroy(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_tokens_are_minted_and_allowed),
        cmocka_unit_test(a_token_has_one_spelling),
        cmocka_unit_test(names_up_to_the_longest_are_signed_and_longer_ones_not),
        cmocka_unit_test(a_long_name_counts_in_full),
        cmocka_unit_test(without_v2_nothing_is_signed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
