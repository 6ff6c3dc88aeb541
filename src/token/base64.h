/* RFC 4648 section 4 base64, as signatures are written in a token: padded, and in its one canonical
 * spelling. */
#ifndef TOKEN_BASE64_H
#define TOKEN_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Characters, padding included and terminator not, that size bytes encode to. */
#define BASE64_ENCODED_LENGTH(size) (((size) + 2) / 3 * 4)

/*
 * Decodes length characters that must encode exactly size bytes: right length, right padding, no
 * blanks, and leftover bits zero (RFC 4648 section 3.5; a decoder that ignores them takes several
 * spellings for the same signature). Returns 0 and fills bytes_r, or -1; bytes_r may be partly
 * written then. Not constant in time: the text is the peer's own.
 */
__attribute__((warn_unused_result)) int base64_decode(const char *text, size_t length,
                                                      uint8_t *bytes_r, size_t size);

/* Encodes size bytes and terminates: text_r holds BASE64_ENCODED_LENGTH(size) + 1 characters. */
void base64_encode(const uint8_t *bytes, size_t size, char *text_r);

#endif
