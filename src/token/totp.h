/* One-time passwords: HOTP (RFC 4226) and the time steps of TOTP (RFC 6238, T0 = 0). */
#ifndef TOKEN_TOTP_H
#define TOKEN_TOTP_H

#include <stdint.h>

#include "token/keyed_hash.h"

enum { OTP_DIGITS_MIN = 6, OTP_DIGITS_MAX = 10 };

/* The time step of a moment in whole seconds since the epoch, rounded down; interval in seconds, at
 * least 1. */
int64_t totp_step(int64_t seconds, unsigned interval);

/*
 * HOTP of RFC 4226 section 5.3 with any of RFC 6238's hashes: seed is the HMAC keyed with the
 * shared secret, counter the time step, digits from OTP_DIGITS_MIN to OTP_DIGITS_MAX. The value is below 2^31 (dynamic truncation) also with ten digits. Returns 0, or
 * -1 where the HMAC fails (nothing written).
 */
__attribute__((warn_unused_result)) int hotp(const struct keyed_hash *seed, uint64_t counter,
                                             unsigned digits, uint32_t *otp_r);

#endif
