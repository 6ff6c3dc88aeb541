/*
 * HMAC over OpenSSL's plain hash contexts. They are deprecated since OpenSSL 3.0, and used all the
 * same: they are structs, so going on from a state is a copy of some bytes on the stack, where a
 * digest context (keyed_hash_evp.c) is allocated and freed by its provider twice for every HMAC;
 * and what a key has been made into can be kept in the secure heap.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "token/keyed_hash.h"

#include <openssl/macros.h>

#ifndef OPENSSL_NO_DEPRECATED_3_0

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

/*
 * What is made of a key: the inner and the outer hash's chaining values after the block that the key
 * is mixed into (RFC 2104 section 4), hash_size() bytes each, in the secure heap, for whoever has
 * them can sign as if he had the key. OpenSSL's own HMAC would keep the key in ordinary memory
 * beside them.
 */

/* The chaining value stands first in each context, in as many bytes as the hash has. */
_Static_assert(offsetof(SHA_CTX, h0) == 0 && offsetof(SHA_CTX, Nl) == SHA_DIGEST_LENGTH, "SHA-1");
_Static_assert(offsetof(SHA256_CTX, h) == 0 && offsetof(SHA256_CTX, Nl) == SHA256_DIGEST_LENGTH,
               "SHA-256");
_Static_assert(offsetof(SHA512_CTX, h) == 0 && offsetof(SHA512_CTX, Nl) == SHA512_DIGEST_LENGTH,
               "SHA-512");

/*
 * begin: the state after a first block. finish: goes on from a state with size bytes, and ends;
 * nothing that tells of the key is left in the context then, for its chaining value has become the
 * output, and OpenSSL wipes its buffer.
 */

static int begin_sha1(const uint8_t *block, uint8_t *state_r)
{
    SHA_CTX work;
    int result = SHA1_Init(&work) == 1 && SHA1_Update(&work, block, SHA_CBLOCK) == 1 ? 0 : -1;

    memcpy(state_r, &work, SHA_DIGEST_LENGTH);
    OPENSSL_cleanse(&work, sizeof(work));
    return result;
}

static int finish_sha1(const uint8_t *state, const void *bytes, size_t size, uint8_t *output_r)
{
    SHA_CTX work = {.Nl = 8 * SHA_CBLOCK};

    memcpy(&work, state, SHA_DIGEST_LENGTH);
    return SHA1_Update(&work, bytes, size) == 1 && SHA1_Final(output_r, &work) == 1 ? 0 : -1;
}

static int begin_sha256(const uint8_t *block, uint8_t *state_r)
{
    SHA256_CTX work;
    int result =
        SHA256_Init(&work) == 1 && SHA256_Update(&work, block, SHA256_CBLOCK) == 1 ? 0 : -1;

    memcpy(state_r, &work, SHA256_DIGEST_LENGTH);
    OPENSSL_cleanse(&work, sizeof(work));
    return result;
}

static int finish_sha256(const uint8_t *state, const void *bytes, size_t size, uint8_t *output_r)
{
    SHA256_CTX work = {.Nl = 8 * SHA256_CBLOCK, .md_len = SHA256_DIGEST_LENGTH};

    memcpy(&work, state, SHA256_DIGEST_LENGTH);
    return SHA256_Update(&work, bytes, size) == 1 && SHA256_Final(output_r, &work) == 1 ? 0 : -1;
}

static int begin_sha512(const uint8_t *block, uint8_t *state_r)
{
    SHA512_CTX work;
    int result =
        SHA512_Init(&work) == 1 && SHA512_Update(&work, block, SHA512_CBLOCK) == 1 ? 0 : -1;

    memcpy(state_r, &work, SHA512_DIGEST_LENGTH);
    OPENSSL_cleanse(&work, sizeof(work));
    return result;
}

static int finish_sha512(const uint8_t *state, const void *bytes, size_t size, uint8_t *output_r)
{
    SHA512_CTX work = {.Nl = UINT64_C(8) * SHA512_CBLOCK, .md_len = SHA512_DIGEST_LENGTH};

    memcpy(&work, state, SHA512_DIGEST_LENGTH);
    return SHA512_Update(&work, bytes, size) == 1 && SHA512_Final(output_r, &work) == 1 ? 0 : -1;
}

static const struct {
    int (*begin)(const uint8_t *block, uint8_t *state_r);
    int (*finish)(const uint8_t *state, const void *bytes, size_t size, uint8_t *output_r);
} methods[HASH_COUNT] = {
    [HASH_SHA1] = {begin_sha1, finish_sha1},
    [HASH_SHA256] = {begin_sha256, finish_sha256},
    [HASH_SHA512] = {begin_sha512, finish_sha512},
};

static int set_key(enum hash hash, const uint8_t *key, size_t key_size, uint8_t *states_r)
{
    uint8_t inner[HASH_BLOCK_MAX];
    uint8_t outer[HASH_BLOCK_MAX];
    int result = -1;

    if (hash_key_blocks(hash, key, key_size, inner, outer) == 0 &&
        methods[hash].begin(inner, states_r) == 0)
        result = methods[hash].begin(outer, states_r + hash_size(hash));
    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(outer, sizeof(outer));
    return result;
}

int keyed_hash_init(struct keyed_hash *keyed, enum hash hash, const uint8_t *key, size_t key_size)
{
    *keyed = (struct keyed_hash){.hash = hash, .made = OPENSSL_secure_malloc(2 * hash_size(hash))};
    if (keyed->made != NULL && set_key(hash, key, key_size, keyed->made) == 0)
        return 0;
    keyed_hash_deinit(keyed);
    return -1;
}

void keyed_hash_deinit(struct keyed_hash *keyed)
{
    OPENSSL_secure_clear_free(keyed->made, 2 * hash_size(keyed->hash));
    keyed->made = NULL;
}

int keyed_hash_compute(const struct keyed_hash *keyed, const void *message, size_t size,
                       uint8_t output_r[HASH_SIZE_MAX])
{
    const uint8_t *states = keyed->made;
    size_t digest_size = hash_size(keyed->hash);
    uint8_t digest[HASH_SIZE_MAX];
    int result = methods[keyed->hash].finish(states, message, size, digest);

    if (result == 0)
        result = methods[keyed->hash].finish(states + digest_size, digest, digest_size, output_r);
    OPENSSL_cleanse(digest, digest_size);
    return result;
}

#endif
