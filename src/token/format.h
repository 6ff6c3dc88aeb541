/* What a host's tokens look like and for how long they count: the settings that minter and verifier
 * must share. */
#ifndef TOKEN_FORMAT_H
#define TOKEN_FORMAT_H

#include "token/keyed_hash.h"

enum { NONCE_DIGITS_MIN = 16, NONCE_DIGITS_MAX = 64, OTP_WINDOW_MAX = 10 };

/* No token is judged by how far it missed the window beyond this: whole days and time zones fit (26
 * hours). */
enum { CLOCK_REACH_SECONDS = 26 * 3600 };

struct token_format {
    unsigned otp_digits;      /* OTP_DIGITS_MIN to OTP_DIGITS_MAX, exact */
    unsigned nonce_digits;    /* NONCE_DIGITS_MIN to NONCE_DIGITS_MAX, exact */
    unsigned interval;        /* seconds of a time step, at least 1 */
    unsigned window;          /* steps accepted either side, 0 to OTP_WINDOW_MAX */
    enum hash otp_hash;       /* of the TOTP */
    enum hash signature_hash; /* HASH_SHA256 or HASH_SHA512 */
};

#endif
