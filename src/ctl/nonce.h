/* Random nonces for tokens. */
#ifndef CTL_NONCE_H
#define CTL_NONCE_H

#include "token/format.h"

/* Writes so many (at most NONCE_DIGITS_MAX) uniformly random digits, terminated. Returns 0, or -1
 * after a complaint. */
__attribute__((warn_unused_result)) int nonce_make(unsigned digits,
                                                   char nonce_r[NONCE_DIGITS_MAX + 1]);

#endif
