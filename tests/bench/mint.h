/*
 * Login questions with genuine tokens, each one of its own: made as a web application makes them,
 * by libcrypto alone, sharing no code with the daemon under test.
 */
#ifndef BENCH_MINT_H
#define BENCH_MINT_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * The sizes are such that question and signed message both take two blocks of SHA-256 behind the
 * key's: a keyed hash of either costs the same.
 */
enum {
    MINT_INTERVAL = 300, /* seconds of a time step: no run lasts as long as a token counts */
    MINT_OTP_DIGITS = 8,
    MINT_NONCE_DIGITS = 32,
    MINT_USER_LENGTH = 11,
    MINT_SIGNATURE_LENGTH = 44,
    MINT_TOKEN_LENGTH = MINT_OTP_DIGITS + MINT_NONCE_DIGITS + 1 + MINT_SIGNATURE_LENGTH
};

/* Every user's host; its tokens have the defaults but for the interval. */
#define MINT_HOST "example.org"

enum {
    MINT_HOST_LENGTH = sizeof(MINT_HOST) - 1,
    MINT_QUESTION_LENGTH =
        5 + MINT_USER_LENGTH + 1 + MINT_HOST_LENGTH + 1 + MINT_TOKEN_LENGTH, /* auth:U:H:T */
    MINT_MESSAGE_LENGTH =
        MINT_OTP_DIGITS + MINT_NONCE_DIGITS + MINT_USER_LENGTH + 1 + MINT_HOST_LENGTH
};

struct minted {
    char question[MINT_QUESTION_LENGTH + 1]; /* the request's text, terminated */
    char message[MINT_MESSAGE_LENGTH];       /* what its signature covers */
};

struct minter;

/*
 * A minter with the two secrets of a key file (lines otp_seed = BASE32 and token_secret = TEXT).
 * NULL after saying on stderr what failed. Released with minter_destroy().
 */
struct minter *minter_create(const char *key_path);

/* Frees *minter and sets it to NULL; NULL is allowed. */
void minter_destroy(struct minter **minter);

/* Mints the next question as of a time; never the same twice, in any process. 0, or -1 where
 * OpenSSL fails. */
__attribute__((warn_unused_result)) int minter_mint(struct minter *minter, time_t now,
                                                    struct minted *minted_r);

/* The same for a user of another host, whose name has as many bytes as MINT_HOST. */
__attribute__((warn_unused_result)) int minter_mint_at(struct minter *minter,
                                                       const char host[MINT_HOST_LENGTH],
                                                       time_t now, struct minted *minted_r);

/* The keyed HMAC-SHA256 that signs, its context reused: the measure of what a verdict may cost. 0,
 * or -1 where OpenSSL fails. */
__attribute__((warn_unused_result)) int minter_sign(struct minter *minter, const void *message,
                                                    size_t size, uint8_t signature_r[32]);

#endif
