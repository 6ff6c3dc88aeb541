/* The hash functions that a key can be used with. */
#ifndef TOKEN_HASH_H
#define TOKEN_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hash { HASH_SHA1, HASH_SHA256, HASH_SHA512, HASH_COUNT };

/* Of any of them, in bytes: the longest output, and the longest block. */
enum { HASH_SIZE_MAX = 64, HASH_BLOCK_MAX = 128 };

/* The hash's word ("sha256"), static, its output's size in bytes (20, 32, 64), and its block's (64,
 * 64, 128). */
const char *hash_word(enum hash hash);
size_t hash_size(enum hash hash);
size_t hash_block_size(enum hash hash);

/* Whether two outputs of size bytes are the same. The time depends on size alone, so that it tells
 * nobody how much of a signature is right. */
bool hash_is_same(const uint8_t *one, const uint8_t *other, size_t size);

/*
 * The first blocks of the inner and the outer hash of HMAC (RFC 2104 section 2): the key, of any
 * length, mixed with each pad; hash_block_size() bytes each. 0, or -1 where OpenSSL fails. The
 * caller wipes both in either case.
 */
__attribute__((warn_unused_result)) int hash_key_blocks(enum hash hash, const uint8_t *key,
                                                        size_t key_size,
                                                        uint8_t inner_r[HASH_BLOCK_MAX],
                                                        uint8_t outer_r[HASH_BLOCK_MAX]);

#endif
