/*
 * The token, v1: OTP NONCE SP SIGNATURE (docs/token.md). Its parts have no separators and no
 * lengths, so all lengths are exact: a range would let a digit move from the user name into the
 * nonce under the same signature.
 */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include <stddef.h>
#include <stdint.h>

#include "token/base64.h"
#include "token/token_key.h"
#include "token/totp.h"

/* A localpart and a domain are at most 1023 bytes each (RFC 7622 section 3); the requests' limit is
 * what counts. */
enum { TOKEN_JID_MAX = 8191 };

enum {
    TOKEN_LENGTH_MAX = OTP_DIGITS_MAX + NONCE_DIGITS_MAX + 1 + BASE64_ENCODED_LENGTH(HASH_SIZE_MAX)
};

struct token {
    uint64_t otp;
    const char *digits; /* OTP and nonce; borrowed from the parsed text */
    size_t digit_count;
    uint8_t signature[HASH_SIZE_MAX];
};

/* Characters of a token of this format. */
size_t token_length(const struct token_format *format);

/*
 * Takes length bytes apart, any bytes. Returns 0 and the token, which borrows from text, or -1
 * (token_r may be partly written) where the shape is not exactly the format's.
 */
__attribute__((warn_unused_result)) int token_parse(const struct token_format *format,
                                                    const char *text, size_t length,
                                                    struct token *token_r);

/*
 * Writes what a signature covers, OTP NONCE USER @ HOST, into message_r (message_size bytes, never
 * terminated). Returns its size, or 0 where it does not fit.
 */
size_t token_message(const char *digits, size_t digit_count, const char *user, size_t user_length,
                     const char *host, size_t host_length, char *message_r, size_t message_size);

/*
 * Mints the token of USER@HOST for a time step. nonce: format.nonce_digits decimal digits. text_r
 * holds TOKEN_LENGTH_MAX + 1 characters and is terminated. Returns 0, or -1 where OpenSSL fails or
 * the JID is too long.
 */
__attribute__((warn_unused_result)) int token_mint(struct token_key *key,
                                                   const struct token_format *format,
                                                   const char *user, const char *host, int64_t step,
                                                   const char *nonce, char *text_r);

#endif
