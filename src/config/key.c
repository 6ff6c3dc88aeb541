#include "config/key.h"

#include <string.h>

#include <openssl/crypto.h>

#include "config/strength.h"
#include "token/base32.h"

bool host_accepts(const struct host_values *values, const char *kind)
{
    for (size_t i = 0; i < values->accept.count; i++) {
        if (strcmp(values->accept.names[i], kind) == 0)
            return true;
    }
    return false;
}

struct token_format host_format(const struct host_values *values)
{
    return (struct token_format){
        .otp_digits = (unsigned)values->otp_digits,
        .nonce_digits = (unsigned)values->nonce_digits,
        .interval = (unsigned)values->otp_interval,
        .window = (unsigned)values->otp_window,
        .otp_hash = (enum hash)values->otp_hash,
        .signature_hash = values->signature_hash == SIGNATURE_SHA512 ? HASH_SHA512 : HASH_SHA256,
        .refuses_v1 = !host_accepts(values, "v1"),
        .accepts_v2 = host_accepts(values, "v2"),
        .accepts_jsxc = host_accepts(values, "jsxc"),
        .max_lifetime = (unsigned)(values->max_lifetime_ms / 1000),
        .jsxc_max_lifetime = (unsigned)(values->jsxc_max_lifetime_ms / 1000),
    };
}

struct token_key *key_from_values(void *place, const struct token_format *format,
                                  const struct key_values *values, struct key_report *report_r)
{
    const struct secret *written = &values->otp_seed;
    const struct secret *secret = &values->token_secret;
    struct token_key_dates dates = {values->accept_from, values->accept_until};
    size_t room = BASE32_DECODED_SIZE(written->size) + 1;
    uint8_t *seed = OPENSSL_secure_malloc(room);
    struct token_key *key = NULL;
    size_t size;

    *report_r = (struct key_report){.fault = "memory is short"};
    if (seed == NULL)
        return NULL;
    report_r->token_secret_weakness = token_secret_weakness(secret);
    if (base32_decode((const char *)written->bytes, written->size, seed, &size) != 0) {
        report_r->fault = "the otp_seed is not base32";
    } else {
        report_r->otp_seed_weakness = otp_seed_weakness(written, size);
        if (key_fingerprint(seed, size, secret->bytes, secret->size, &report_r->fingerprint) == 0)
            key =
                token_key_create_at(place, format, seed, size, secret->bytes, secret->size, dates);
    }
    OPENSSL_secure_clear_free(seed, room);
    if (key != NULL)
        report_r->fault = NULL;
    return key;
}
