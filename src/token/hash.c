#include "token/hash.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { INNER_PAD = 0x36, OUTER_PAD = 0x5c };

static const struct {
    const char *word;
    size_t size;
    size_t block_size;
} hashes[HASH_COUNT] = {
    [HASH_SHA1] = {"sha1", 20, 64},
    [HASH_SHA256] = {"sha256", 32, 64},
    [HASH_SHA512] = {"sha512", 64, 128},
};

const char *hash_word(enum hash hash)
{
    return hashes[hash].word;
}

size_t hash_size(enum hash hash)
{
    return hashes[hash].size;
}

size_t hash_block_size(enum hash hash)
{
    return hashes[hash].block_size;
}

bool hash_is_same(const uint8_t *one, const uint8_t *other, size_t size)
{
    /* OpenSSL has a short way for pieces of this size; a whole hash it compares byte by byte. */
    const size_t piece = 16;
    int difference = 0;

    for (; size > piece; size -= piece) {
        difference |= CRYPTO_memcmp(one, other, piece);
        one += piece;
        other += piece;
    }
    return (difference | CRYPTO_memcmp(one, other, size)) == 0;
}

int hash_key_blocks(enum hash hash, const uint8_t *key, size_t key_size,
                    uint8_t inner_r[HASH_BLOCK_MAX], uint8_t outer_r[HASH_BLOCK_MAX])
{
    /* Filled up with zeros, or hashed first where it is longer than a block. */
    memset(inner_r, 0, HASH_BLOCK_MAX);
    if (key_size > hashes[hash].block_size) {
        if (EVP_Q_digest(NULL, hashes[hash].word, NULL, key, key_size, inner_r, NULL) != 1)
            return -1;
    } else if (key_size > 0) {
        memcpy(inner_r, key, key_size);
    }
    for (size_t i = 0; i < HASH_BLOCK_MAX; i++) {
        outer_r[i] = inner_r[i] ^ OUTER_PAD;
        inner_r[i] ^= INNER_PAD;
    }
    return 0;
}
