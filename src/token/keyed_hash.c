#include "token/keyed_hash.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/*
 * The states of the inner and the outer hash after the block that the key is mixed into (RFC 2104
 * section 4); a third is what they are copied into. OpenSSL's own HMAC would do the same, and keep
 * the key in ordinary memory beside it.
 */
struct keyed_hash {
    EVP_MD_CTX *inner;
    EVP_MD_CTX *outer;
    EVP_MD_CTX *work;
};

/* The longest block of a hash, SHA-512's. */
enum { BLOCK_MAX = 128, INNER_PAD = 0x36, OUTER_PAD = 0x5c };

static const struct {
    const char *word;
    size_t size;
} hashes[HASH_COUNT] = {
    [HASH_SHA1] = {"sha1", 20},
    [HASH_SHA256] = {"sha256", 32},
    [HASH_SHA512] = {"sha512", 64},
};

const char *hash_word(enum hash hash)
{
    return hashes[hash].word;
}

size_t hash_size(enum hash hash)
{
    return hashes[hash].size;
}

/* The key as a block: filled up with zeros, or hashed first where it is longer. */
static int make_block(EVP_MD_CTX *context, const EVP_MD *hash, const uint8_t *key, size_t key_size,
                      uint8_t block_r[BLOCK_MAX])
{
    memset(block_r, 0, BLOCK_MAX);
    if (key_size <= (size_t)EVP_MD_get_block_size(hash)) {
        if (key_size > 0)
            memcpy(block_r, key, key_size);
        return 0;
    }
    return EVP_DigestInit_ex2(context, hash, NULL) == 1 &&
                   EVP_DigestUpdate(context, key, key_size) == 1 &&
                   EVP_DigestFinal_ex(context, block_r, NULL) == 1
               ? 0
               : -1;
}

/* Begins a hash with the block, mixed with a pad. */
static int begin(EVP_MD_CTX *context, const EVP_MD *hash, const uint8_t block[BLOCK_MAX],
                 uint8_t pad)
{
    uint8_t mixed[BLOCK_MAX];
    int result;

    for (size_t i = 0; i < BLOCK_MAX; i++)
        mixed[i] = block[i] ^ pad;
    result = EVP_DigestInit_ex2(context, hash, NULL) == 1 &&
                     EVP_DigestUpdate(context, mixed, (size_t)EVP_MD_get_block_size(hash)) == 1
                 ? 0
                 : -1;
    OPENSSL_cleanse(mixed, sizeof(mixed));
    return result;
}

static int set_key(struct keyed_hash *keyed, const EVP_MD *hash, const uint8_t *key,
                   size_t key_size)
{
    uint8_t block[BLOCK_MAX];
    int result = -1;

    if (make_block(keyed->work, hash, key, key_size, block) == 0 &&
        begin(keyed->inner, hash, block, INNER_PAD) == 0)
        result = begin(keyed->outer, hash, block, OUTER_PAD);
    OPENSSL_cleanse(block, sizeof(block));
    return result;
}

struct keyed_hash *keyed_hash_create(enum hash hash, const uint8_t *key, size_t key_size)
{
    struct keyed_hash *keyed = calloc(1, sizeof(*keyed));
    EVP_MD *method = EVP_MD_fetch(NULL, hashes[hash].word, NULL);

    if (keyed != NULL) {
        keyed->inner = EVP_MD_CTX_new();
        keyed->outer = EVP_MD_CTX_new();
        keyed->work = EVP_MD_CTX_new();
        if (method == NULL || keyed->inner == NULL || keyed->outer == NULL || keyed->work == NULL ||
            set_key(keyed, method, key, key_size) != 0)
            keyed_hash_destroy(&keyed);
    }
    EVP_MD_free(method);
    return keyed;
}

void keyed_hash_destroy(struct keyed_hash **keyed)
{
    if (*keyed == NULL)
        return;
    EVP_MD_CTX_free((*keyed)->inner);
    EVP_MD_CTX_free((*keyed)->outer);
    EVP_MD_CTX_free((*keyed)->work);
    free(*keyed);
    *keyed = NULL;
}

/* Goes on from a state with size bytes, and ends. */
static int finish(EVP_MD_CTX *work, const EVP_MD_CTX *state, const void *bytes, size_t size,
                  uint8_t output_r[HASH_SIZE_MAX])
{
    return EVP_MD_CTX_copy_ex(work, state) == 1 && EVP_DigestUpdate(work, bytes, size) == 1 &&
                   EVP_DigestFinal_ex(work, output_r, NULL) == 1
               ? 0
               : -1;
}

int keyed_hash_compute(struct keyed_hash *keyed, const void *message, size_t size,
                       uint8_t output_r[HASH_SIZE_MAX])
{
    size_t inner_size = (size_t)EVP_MD_get_size(EVP_MD_CTX_get0_md(keyed->inner));
    uint8_t digest[HASH_SIZE_MAX];
    int result = finish(keyed->work, keyed->inner, message, size, digest);

    if (result == 0)
        result = finish(keyed->work, keyed->outer, digest, inner_size, output_r);
    OPENSSL_cleanse(digest, sizeof(digest));
    return result;
}
