/*
 * JSXC's time-limited token, as xcauth takes it (docs/token.md): 23 bytes in 31 characters. It says
 * when it ends, not when it was made, and has no nonce.
 */
#ifndef TOKEN_JSXC_TOKEN_H
#define TOKEN_JSXC_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "token/token_v2.h"

enum { JSXC_LENGTH = 31, JSXC_MAC_SIZE = 16, JSXC_ID_SIZE = 2 };

struct jsxc_key;

/* A key from the secret's bytes, which are not kept. NULL where OpenSSL fails or memory is short.
 * Released with jsxc_key_destroy(). */
struct jsxc_key *jsxc_key_create(const uint8_t *secret, size_t size);

/* Wipes and frees *key and sets it to NULL; NULL is allowed. */
void jsxc_key_destroy(struct jsxc_key **key);

struct jsxc_token {
    uint8_t mac[JSXC_MAC_SIZE];
    uint8_t secret_id[JSXC_ID_SIZE];
    int64_t expiry; /* seconds since the epoch, exclusive */
};

/* Takes length bytes apart, any bytes. 0, or -1 (token_r may be partly written) where they are not
 * exactly such a token of version 0, in its one spelling. */
__attribute__((warn_unused_result)) int jsxc_token_parse(const char *text, size_t length,
                                                         struct jsxc_token *token_r);

/*
 * Whether the token is the key's for a user at a host; the MAC that it must have is computed first,
 * whatever else is wrong, and stands in mac_r. False too where OpenSSL fails or the names are too
 * long; mac_r is zero then.
 */
bool jsxc_token_fits(struct jsxc_key *key, const struct jsxc_token *token, struct text user,
                     struct text host, uint8_t mac_r[JSXC_MAC_SIZE]);

#endif
