/*
 * The verifier: a token, the keys and a time in, a verdict out. Signature and OTP are judged
 * together for every key, in constant time, before anything else is looked at; what the caller may
 * then teach or store rests on a right signature.
 */
#ifndef TOKEN_VERIFY_H
#define TOKEN_VERIFY_H

#include "token/reason.h"
#include "token/token.h"

struct claim {
    const char *user;
    size_t user_length;
    const char *host;
    size_t host_length;
    const char *password;
    size_t password_length;
};

struct token_verdict {
    /* ALLOWED: genuine and in time, still to be checked against what is remembered (revoked,
     * starting, spent); else MALFORMED, FORGED, WRONG_OTP, EXPIRED, EARLY or KEY_RETIRED. */
    enum reason reason;
    /* The index of the key that fits; meaningful unless MALFORMED or FORGED. */
    size_t key;
    /* EXPIRED and EARLY: how far the minter's clock is ahead (behind: negative) in seconds, as far
     * as this one token tells: whole steps, the token's own age included. 0 with EXPIRED: it was
     * not looked for (STEP_NOT_SEARCHED), and the token may be early or of another seed too. */
    int64_t clock_offset;
    /* ALLOWED: since which time step the token may have been spent, and the one to file it under
     * (token_key_stretch). */
    struct otp_match steps;
    /* Genuine (neither MALFORMED nor FORGED): the computed signature, which names the token whatever it was spelled like. */
    uint8_t signature[HASH_SIZE_MAX];
};

/*
 * Judges a claim by count keys (all of one format) at a time in seconds since the epoch. Borrows
 * everything for the call; fills all that its reason makes meaningful. An OpenSSL failure is a key
 * that does not fit.
 */
void token_verify(struct token_key *const *keys, size_t count, const struct token_format *format,
                  const struct claim *claim, int64_t seconds, struct token_verdict *verdict_r);

/*
 * Whether a clock offset in seconds looks like a time zone: within the token's allowed age (and 5
 * minutes at the most) of a whole number of half hours other than 0. Returns those half hours in
 * seconds, signed, or 0.
 */
int64_t time_zone_offset(int64_t clock_offset, const struct token_format *format);

#endif
