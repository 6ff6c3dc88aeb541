/* What a host's tokens look like and for how long they count: the settings that minter and verifier
 * must share. */
#ifndef TOKEN_FORMAT_H
#define TOKEN_FORMAT_H

#include <stdbool.h>

#include "token/keyed_hash.h"

enum { NONCE_DIGITS_MIN = 16, NONCE_DIGITS_MAX = 64, OTP_WINDOW_MAX = 10, OTP_INTERVAL_MAX = 900 };

/* No token is judged by how far it missed the window beyond this: whole days and time zones fit (26
 * hours). */
enum { CLOCK_REACH_SECONDS = 26 * 3600 };

/* Seconds by which any setting lets a token come early: half of the 15 minutes that all windows
 * together may have. */
enum { TOKEN_REACH_MAX = 450 };

/* Seconds that may stand in a v2 token as its lifetime, and that a JSXC token may last. */
enum { V2_LIFETIME_MAX = 3600, JSXC_LIFETIME_MAX = 10800 };

/* Zeroed, what is not v1 is not taken. */
struct token_format {
    unsigned otp_digits;      /* OTP_DIGITS_MIN to OTP_DIGITS_MAX, exact */
    unsigned nonce_digits;    /* NONCE_DIGITS_MIN to NONCE_DIGITS_MAX, exact */
    unsigned interval;        /* seconds of a time step, at least 1 */
    unsigned window;          /* steps accepted either side, 0 to OTP_WINDOW_MAX */
    enum hash otp_hash;       /* of the TOTP */
    enum hash signature_hash; /* HASH_SHA256 or HASH_SHA512 */
    bool refuses_v1;
    bool accepts_v2;
    bool accepts_jsxc;
    unsigned max_lifetime;      /* seconds for which a v2 token is good at the most */
    unsigned jsxc_max_lifetime; /* seconds before its end from which a JSXC token is good */
};

#endif
