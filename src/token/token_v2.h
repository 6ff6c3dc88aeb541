/*
 * The token, v2 (docs/token.md): v2.KEY.ISSUED.LIFETIME.NONCE.SIGNATURE. It names its key and says
 * when it was made; what is signed are its fields as they are written, each with its length before
 * it, so that none can lend a byte to another.
 */
#ifndef TOKEN_TOKEN_V2_H
#define TOKEN_TOKEN_V2_H

#include <stddef.h>
#include <stdint.h>

#include "token/key_fingerprint.h"
#include "token/token_key.h"

enum { V2_NONCE_LENGTH = 22, V2_NONCE_SIZE = 16, V2_SIGNATURE_LENGTH = 43 };

/* v2, fingerprint, time, lifetime, nonce, signature, and five dots. */
enum {
    V2_LENGTH_MAX = 2 + KEY_FINGERPRINT_LENGTH + 12 + 4 + V2_NONCE_LENGTH + V2_SIGNATURE_LENGTH + 5
};

struct text {
    const char *bytes;
    size_t length;
};

enum v2_field {
    V2_VERSION,
    V2_KEY,
    V2_ISSUED,
    V2_LIFETIME,
    V2_NONCE,
    V2_SIGNATURE,
    V2_FIELD_COUNT
};

struct token_v2 {
    struct text fields[V2_FIELD_COUNT]; /* as written; borrowed from the parsed text */
    int64_t issued;                     /* seconds since the epoch */
    unsigned lifetime;                  /* seconds, 1 to V2_LIFETIME_MAX */
    uint8_t signature[V2_SIGNATURE_SIZE];
};

/* Takes length bytes apart, any bytes. Returns 0 and the token, or -1 (token_r may be partly
 * written) where they are not exactly such a token, in its one spelling. */
__attribute__((warn_unused_result)) int token_v2_parse(const char *text, size_t length,
                                                       struct token_v2 *token_r);

/* The signature of a token's other fields for a user at a host. 0, or -1 where OpenSSL fails or the
 * names are too long. */
__attribute__((warn_unused_result)) int token_v2_sign(struct token_key *key,
                                                      const struct token_v2 *token,
                                                      struct text user, struct text host,
                                                      uint8_t signature_r[V2_SIGNATURE_SIZE]);

/*
 * Mints the token of USER@HOST, issued at a time (1 to the end of the year 9999) for a lifetime (1 to
 * V2_LIFETIME_MAX), with V2_NONCE_SIZE random bytes. The key must be one for v2 (token_format);
 * name is its fingerprint. text_r holds V2_LENGTH_MAX + 1 characters and is terminated. 0, or -1
 * where OpenSSL fails or a name is too long.
 */
__attribute__((warn_unused_result)) int
token_v2_mint(struct token_key *key, const struct key_fingerprint *name, const char *user,
              const char *host, int64_t issued, unsigned lifetime,
              const uint8_t nonce[V2_NONCE_SIZE], char *text_r);

#endif
