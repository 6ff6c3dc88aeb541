/*
 * Any bytes as a password for a host that takes every kind of token: no crash, and a yes for nothing but the very tokens that
 * its keys have signed. The input says how a genuine one is changed, or is the password itself.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "choices.h"
#include "expect.h"
#include "token/base64.h"
#include "token/judge.h"

static const int64_t now = 1700000000;
static const struct token_format format = {.otp_digits = 8,
                                           .nonce_digits = 32,
                                           .interval = 30,
                                           .window = 1,
                                           .otp_hash = HASH_SHA1,
                                           .signature_hash = HASH_SHA256,
                                           .accepts_v2 = true,
                                           .accepts_jsxc = true,
                                           .max_lifetime = 120,
                                           .jsxc_max_lifetime = 3600};

enum { KINDS = 3, PASSWORD_MAX = 256 };

static struct token_key *key;
static struct key_fingerprint name;
static struct jsxc_key *jsxc;
static char genuine[KINDS][PASSWORD_MAX];

static void mint_jsxc(char *text)
{
    static const char from[] = "OIl", to[] = "-$%";
    struct jsxc_token token = {.expiry = now + 1800};
    uint8_t bytes[23] = {0};

    /* The MAC that fits is told whatever is wrong; the id is found by trying. */
    for (unsigned id = 0; id <= 0xffff; id++) {
        token.secret_id[0] = (uint8_t)(id >> 8);
        token.secret_id[1] = (uint8_t)id;
        if (jsxc_token_fits(jsxc, &token, (struct text){"alice", 5},
                            (struct text){"example.org", 11}, bytes + 1))
            break;
        memcpy(token.mac, bytes + 1, JSXC_MAC_SIZE);
    }
    memcpy(bytes + 1, token.mac, JSXC_MAC_SIZE);
    memcpy(bytes + 17, token.secret_id, JSXC_ID_SIZE);
    for (int i = 0; i < 4; i++)
        bytes[19 + i] = (uint8_t)(token.expiry >> (24 - 8 * i));
    base64_encode(bytes, sizeof(bytes), text);
    text[JSXC_LENGTH] = '\0';
    for (char *at = text; *at != '\0'; at++) {
        const char *letter = strchr(from, *at);

        if (letter != NULL)
            *at = to[letter - from];
    }
}

static void make_keys(void)
{
    static const uint8_t seed[] = "sixteen bytes or more of seed";
    static const uint8_t secret[] = "a token secret of the fuzzer alone";
    static const uint8_t nonce[V2_NONCE_SIZE] = {1, 2, 3};
    static const struct token_key_dates always = {INT64_MIN, INT64_MAX};

    key = token_key_create(&format, seed, sizeof(seed), secret, sizeof(secret), always);
    jsxc = jsxc_key_create(secret, sizeof(secret));
    EXPECT(key != NULL && jsxc != NULL);
    EXPECT(key_fingerprint(seed, sizeof(seed), secret, sizeof(secret), &name) == 0);
    EXPECT(token_mint(key, &format, "alice", "example.org", totp_step(now, 30),
                      "01234567890123456789012345678901", genuine[TOKEN_V1]) == 0);
    EXPECT(token_v2_mint(key, &name, "alice", "example.org", now, 60, nonce, genuine[TOKEN_V2]) ==
           0);
    mint_jsxc(genuine[TOKEN_JSXC]);
}

static bool is_allowed(const char *password, size_t length)
{
    const struct judge_keys keys = {&key, &name, 1, jsxc};
    /* A copy that ends where the password ends, so that AddressSanitizer sees a byte too far. */
    char *copy = malloc(length > 0 ? length : 1);
    const struct claim claim = {.user = "alice",
                                .user_length = 5,
                                .host = "example.org",
                                .host_length = 11,
                                .password = copy,
                                .password_length = length};
    struct token_verdict verdict;

    EXPECT(copy != NULL);
    memcpy(copy, password, length);
    token_judge(&keys, &format, &claim, now, &verdict);
    free(copy);
    EXPECT(verdict.reason == REASON_MALFORMED || verdict.reason == REASON_FORGED ||
           verdict.reason == REASON_ALLOWED);
    return verdict.reason == REASON_ALLOWED;
}

static bool is_genuine(const char *password, size_t length)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (length == strlen(genuine[i]) && memcmp(password, genuine[i], length) == 0)
            return true;
    }
    return false;
}

static void judge_changed(struct choices *choices)
{
    char password[PASSWORD_MAX];
    size_t kind = choose(choices, KINDS);
    size_t length = strlen(genuine[kind]);

    memcpy(password, genuine[kind], length);
    for (size_t changes = choose(choices, 4); changes > 0; changes--)
        password[choose(choices, length)] = (char)choose_byte(choices);
    length -= choose(choices, 8) == 7 ? choose(choices, length) : 0;
    EXPECT(is_allowed(password, length) == is_genuine(password, length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices choices = {data, size};

    if (key == NULL)
        make_keys();
    if (choose(&choices, 2) == 0)
        judge_changed(&choices);
    else
        EXPECT(is_allowed((const char *)choices.bytes, choices.size) ==
               is_genuine((const char *)choices.bytes, choices.size));
    return 0;
}
