/* RFC 4648 section 6 base32, as TOTP seeds are written. */
#ifndef TOKEN_BASE32_H
#define TOKEN_BASE32_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that length characters of base32 decode to at the most. */
#define BASE32_DECODED_SIZE(length) ((length)*5 / 8)

/* Characters, without padding and terminator, that size bytes encode to. */
#define BASE32_ENCODED_LENGTH(size) (((size)*8 + 4) / 5)

/*
 * Decodes length characters, upper or lower case, padded with = to a multiple of eight or not
 * padded at all; leftover bits in the last character are ignored, as pyotp ignores them. bytes_r
 * holds BASE32_DECODED_SIZE(length) bytes. Returns 0 and the size, or -1 for a character outside
 * the alphabet, a length that no bytes encode to, or wrong padding; bytes_r may be partly written
 * then.
 */
__attribute__((warn_unused_result)) int base32_decode(const char *text, size_t length,
                                                      uint8_t *bytes_r, size_t *size_r);

/* Encodes size bytes in upper case, unpadded, and terminates: text_r holds
 * BASE32_ENCODED_LENGTH(size) + 1 characters. */
void base32_encode(const uint8_t *bytes, size_t size, char *text_r);

#endif
