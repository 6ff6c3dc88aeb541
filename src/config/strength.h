/* Whether a secret is worth its name. Published samples and placeholders are in production
 * somewhere. */
#ifndef CONFIG_STRENGTH_H
#define CONFIG_STRENGTH_H

#include "config/secret.h"

/* Bits below which a secret is refused. */
enum { SECRET_BITS_MIN = 128 };

/*
 * What is wrong with an otp_seed as it was written, whose decoded size in bytes is given: static
 * words that go after "the otp_seed ", or NULL if nothing is.
 */
const char *otp_seed_weakness(const struct secret *written, size_t decoded_size);

/*
 * The same for a token_secret, which is used as it is written: counted at 4 bits a character if all
 * of it is hexadecimal, 5 if all is base32, else 6.
 */
const char *token_secret_weakness(const struct secret *written);

#endif
