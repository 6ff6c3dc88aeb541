/*
 * Why a question was answered as it was: one reason for each verdict, the same word in log, metrics
 * and command line, never on the wire.
 */
#ifndef TOKEN_REASON_H
#define TOKEN_REASON_H

#include <stdbool.h>

enum reason {
    REASON_MALFORMED, /* the zero: what was never judged is no yes; not a question, or not of a token's shape */
    REASON_UNKNOWN_HOST, /* no section for the host */
    REASON_FORGED,       /* no key's signature fits */
    REASON_WRONG_OTP, /* a signature fits, but no step within 26 h gives this OTP: the seeds differ
                       */
    REASON_EXPIRED,   /* genuine, minted too long ago by this clock */
    REASON_EARLY,     /* genuine, minted in the future by this clock */
    REASON_KEY_RETIRED,  /* genuine, outside its key's accept_from and accept_until */
    REASON_REVOKED,      /* the user is denied by the operator */
    REASON_STARTING,     /* could not decide: may have been spent before the start */
    REASON_REPLAYED,     /* spent already, or of a step whose record is closed */
    REASON_UNSUPPORTED,  /* a question that is never answered yes */
    REASON_UNKNOWN_USER, /* isuser: no such user */
    REASON_STORE_ERROR,  /* could not decide: the spent token could not be recorded */
    REASON_ALLOWED,
    REASON_COUNT
};

/* The reason's word, for example "wrong-otp". Static; never NULL for a value below REASON_COUNT. */
const char *reason_word(enum reason reason);

/* Whether the reason means could-not-decide (which is never yes, and may become try-again on the
 * wire). */
bool reason_is_undecided(enum reason reason);

#endif
