/*
 * The verifier: a token, the keys and a time in, a verdict out. Signature and OTP are judged
 * together for every key, in constant time, before anything else is looked at; what the caller may
 * then teach or store rests on a right signature.
 */
#ifndef TOKEN_VERIFY_H
#define TOKEN_VERIFY_H

#include <stdint.h>

#include "token/reason.h"
#include "token/token.h"

struct claim {
    const char *user;
    size_t user_length;
    const char *host;
    size_t host_length;
    const char *password;
    size_t password_length;
    /*
     * NULL, or told the signature as it stands in a password of the right shape, before any is
     * computed (CLAIMED_SIGNATURE_MIN bytes at least): by then the memory can be fetched in which a
     * genuine one will be looked for. Nothing else may rest on it; anybody can claim anything.
     */
    void (*expect)(void *context, const uint8_t *signature);
    void *expect_context;
};

enum { CLAIMED_SIGNATURE_MIN = 16 };

/* Tells the claim's expect(), if there is one. */
void claim_expect(const struct claim *claim, const uint8_t *signature);

/* The kinds of tokens; each number is that of its timeline among the spent ones. */
enum token_kind { TOKEN_V1, TOKEN_V2, TOKEN_JSXC };

/* The key of a verdict that none of the host's keys made. */
#define TOKEN_KEY_NONE SIZE_MAX

struct token_verdict {
    enum token_kind kind;
    /* ALLOWED: genuine and in time, still to be checked against what is remembered (revoked,
     * starting, spent); else MALFORMED, FORGED, WRONG_OTP, EXPIRED, EARLY or KEY_RETIRED. */
    enum reason reason;
    /* The index of the key that fits, or TOKEN_KEY_NONE; meaningful unless MALFORMED or FORGED. */
    size_t key;
    /* EXPIRED and EARLY: how far the minter's clock is ahead (behind: negative) in seconds, as far
     * as this one token tells: whole steps, the token's own age included. 0 with EXPIRED: it was
     * not looked for (STEP_NOT_SEARCHED), and the token may be early or of another seed too. */
    int64_t clock_offset;
    /* ALLOWED: since which time step the token may have been spent, and the one to file it under
     * (token_key_stretch). */
    struct otp_match steps;
    unsigned interval; /* seconds of these steps, and how many of them either side it is good */
    unsigned window;
    int64_t good_until; /* ALLOWED: when the token stops being acceptable; exclusive */
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
