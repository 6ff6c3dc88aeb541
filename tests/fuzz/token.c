/*
 * Any bytes as a password: no crash, and a yes for nothing but the very token that a key has signed. The input says how a
 * genuine token is changed, or is the password itself.
 */
#include <stdbool.h>
#include <string.h>

#include "choices.h"
#include "expect.h"
#include "token/token.h"
#include "token/verify.h"

static const int64_t now = 1700000000;
static const char user[] = "alice";
static const char host[] = "example.org";

static const struct token_format formats[] = {
    {.otp_digits = 8,
     .nonce_digits = 32,
     .interval = 30,
     .window = 1,
     .otp_hash = HASH_SHA1,
     .signature_hash = HASH_SHA256},
    {.otp_digits = 6,
     .nonce_digits = 16,
     .interval = 30,
     .window = 0,
     .otp_hash = HASH_SHA256,
     .signature_hash = HASH_SHA256},
    {.otp_digits = 10,
     .nonce_digits = 64,
     .interval = 1,
     .window = 10,
     .otp_hash = HASH_SHA512,
     .signature_hash = HASH_SHA512},
};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

static struct token_key *keys[FORMATS];
static char genuine[FORMATS][TOKEN_LENGTH_MAX + 1];

static void make_keys(void)
{
    static const uint8_t seed[] = "sixteen bytes or more of seed";
    static const uint8_t secret[] = "a token secret of the fuzzer alone";
    static const char nonce[] = "0123456789012345678901234567890123456789012345678901234567890123";
    static const struct token_key_dates always = {INT64_MIN, INT64_MAX};

    for (size_t i = 0; i < FORMATS; i++) {
        keys[i] = token_key_create(&formats[i], seed, sizeof(seed), secret, sizeof(secret), always);
        EXPECT(keys[i] != NULL);
        EXPECT(token_mint(keys[i], &formats[i], user, host, totp_step(now, formats[i].interval),
                          nonce, genuine[i]) == 0);
    }
}

static enum reason judge(size_t format, const char *password, size_t length)
{
    /* A copy that ends where the password ends, so that AddressSanitizer sees a byte too far. */
    char *copy = malloc(length > 0 ? length : 1);
    struct claim claim = {.user = user,
                          .user_length = sizeof(user) - 1,
                          .host = host,
                          .host_length = sizeof(host) - 1,
                          .password = copy,
                          .password_length = length};
    struct token_verdict verdict;

    EXPECT(copy != NULL);
    memcpy(copy, password, length);
    token_verify(&keys[format], 1, &formats[format], &claim, now, &verdict);
    free(copy);
    EXPECT(verdict.reason == REASON_MALFORMED || verdict.reason == REASON_FORGED ||
           verdict.reason == REASON_ALLOWED);
    return verdict.reason;
}

/* Base64's last character before the padding carries bits that decoders may ignore; this one must not. */
static bool is_genuine(size_t format, const char *password, size_t length)
{
    return length == strlen(genuine[format]) && memcmp(password, genuine[format], length) == 0;
}

static void judge_changed(struct choices *choices, size_t format)
{
    char password[TOKEN_LENGTH_MAX + 1];
    size_t length = strlen(genuine[format]);

    memcpy(password, genuine[format], length);
    for (size_t changes = choose(choices, 4); changes > 0; changes--)
        password[choose(choices, length)] = (char)choose_byte(choices);
    length -= choose(choices, 8) == 7 ? choose(choices, length) : 0;
    EXPECT((judge(format, password, length) == REASON_ALLOWED) ==
           is_genuine(format, password, length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct choices choices = {data, size};
    size_t format = choose(&choices, FORMATS);

    if (keys[0] == NULL)
        make_keys();
    if (choose(&choices, 2) == 0)
        judge_changed(&choices, format);
    else
        EXPECT((judge(format, (const char *)choices.bytes, choices.size) == REASON_ALLOWED) ==
               is_genuine(format, (const char *)choices.bytes, choices.size));
    return 0;
}
