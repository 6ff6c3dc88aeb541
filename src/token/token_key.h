/*
 * A key: the pair of secrets shared with a minter, ready for use, and the dates between which it
 * counts. The secrets themselves stay with the caller; here only OpenSSL's keyed contexts and
 * one-time passwords are kept.
 */
#ifndef TOKEN_TOKEN_KEY_H
#define TOKEN_TOKEN_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cache_line.h"
#include "token/calendar_pool.h"
#include "token/format.h"

struct token_key;

struct token_key_dates {
    int64_t accept_from;  /* seconds since the epoch, inclusive; INT64_MIN: from ever */
    int64_t accept_until; /* seconds since the epoch, exclusive; INT64_MAX: for ever */
};

/* The time steps that a token's OTP stands for: from the earliest to the latest. */
struct otp_match {
    int64_t first;
    int64_t last;
};

/*
 * A key from the decoded otp_seed and the bytes of token_secret, both of any length and not kept;
 * format is copied. NULL where OpenSSL fails or memory is short. Released with token_key_destroy().
 */
struct token_key *token_key_create(const struct token_format *format, const uint8_t *seed,
                                   size_t seed_size, const uint8_t *secret, size_t secret_size,
                                   struct token_key_dates dates);

/* The bytes that a key takes, but for what is seldom needed of it. */
enum { TOKEN_KEY_SIZE = 2 * CACHE_LINE };

/*
 * The same in a place of TOKEN_KEY_SIZE bytes that begins at a cache line and outlives the key, so
 * that it lies beside what is needed with it. NULL for a place: in memory of its own.
 */
struct token_key *token_key_create_at(void *place, const struct token_format *format,
                                      const uint8_t *seed, size_t seed_size, const uint8_t *secret,
                                      size_t secret_size, struct token_key_dates dates);

/* Wipes and frees *key, but for a place of its owner's, and sets it to NULL; NULL is allowed. */
void token_key_destroy(struct token_key **key);

/* Has fetched what a key points to and a token that will be tried with it needs: among thousands of
 * keys it comes from far away. */
void token_key_prefetch(const struct token_key *key);

/* Whether the key counts at a time in seconds since the epoch. */
bool token_key_in_date(const struct token_key *key, int64_t seconds);

/* The signature over a message: hash_size(format.signature_hash) bytes. 0, or -1 where OpenSSL
 * fails. */
__attribute__((warn_unused_result)) int token_key_sign(struct token_key *key, const void *message,
                                                       size_t size,
                                                       uint8_t signature_r[HASH_SIZE_MAX]);

/* Bytes of a v2 token's signature. */
enum { V2_SIGNATURE_SIZE = 32 };

/*
 * The signature over a v2 token's message, under a key that is made of both secrets and signs
 * nothing else. 0, or -1 where OpenSSL fails or the format does not accept v2.
 */
__attribute__((warn_unused_result)) int token_key_sign_v2(struct token_key *key,
                                                          const void *message, size_t size,
                                                          uint8_t signature_r[V2_SIGNATURE_SIZE]);

/* The OTP of a time step. 0, or -1 where OpenSSL fails. */
__attribute__((warn_unused_result)) int token_key_otp(struct token_key *key, int64_t step,
                                                      uint32_t *otp_r);

/*
 * Whether otp belongs to an acceptable step when now is the current one: true, and the earliest and
 * the latest acceptable step that give it. Takes the same time whether one of them does or none,
 * and whichever. False too where OpenSSL fails.
 */
bool token_key_match(struct token_key *key, uint64_t otp, int64_t now, struct otp_match *match_r);

/*
 * After a match at the same now: the match, and what is reached from it, in either direction,
 * without a moment when the token would not be acceptable (OTP values recur by chance). The token
 * may have been spent since the first of these steps, and is filed under the last as spent: until
 * that one's window closes no gap in time keeps it out.
 */
struct otp_match token_key_stretch(const struct token_key *key, uint64_t otp,
                                   struct otp_match match);

/* What came of looking for a step. */
enum step_search {
    STEP_FOUND,
    STEP_NONE,        /* no step within CLOCK_REACH_SECONDS gives the OTP */
    STEP_NOT_SEARCHED /* the calendars' allowance is used up, memory is short or OpenSSL fails */
};

/*
 * The step nearest to now, within CLOCK_REACH_SECONDS, that gives otp: STEP_FOUND and *step_r. After
 * token_key_match() with the same now; for genuine tokens only, for a table of thousands of OTPs is
 * built where none is.
 */
enum step_search token_key_find_step(struct token_key *key, uint64_t otp, int64_t now,
                                     int64_t *step_r);

/* Lets the key have its table in a pool, which outlives it or is left before it goes; NULL: in none,
 * and without a bound, as for a program that judges one token. A table that is there is given up. */
void token_key_share_calendars(struct token_key *key, struct calendar_pool *pool);

/* Whether that table is there. */
bool token_key_remembers_steps(const struct token_key *key);

#endif
