/* HMAC over OpenSSL's digest contexts: where libcrypto was built without what keyed_hash.c needs. */
#include "token/keyed_hash.h"

#include <openssl/macros.h>

#ifdef OPENSSL_NO_DEPRECATED_3_0

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* The states of the inner and the outer hash after the block that the key is mixed into; a third is
 * what they are copied into. They are in ordinary memory: OpenSSL has no way of putting them
 * elsewhere. */
struct keyed_hash {
    EVP_MD_CTX *inner;
    EVP_MD_CTX *outer;
    EVP_MD_CTX *work;
};

static int set_key(struct keyed_hash *keyed, enum hash hash, const uint8_t *key, size_t key_size)
{
    EVP_MD *method = EVP_MD_fetch(NULL, hash_word(hash), NULL);
    uint8_t inner[HASH_BLOCK_MAX];
    uint8_t outer[HASH_BLOCK_MAX];
    int result = -1;

    if (method != NULL && hash_key_blocks(hash, key, key_size, inner, outer) == 0 &&
        EVP_DigestInit_ex2(keyed->inner, method, NULL) == 1 &&
        EVP_DigestUpdate(keyed->inner, inner, hash_block_size(hash)) == 1 &&
        EVP_DigestInit_ex2(keyed->outer, method, NULL) == 1 &&
        EVP_DigestUpdate(keyed->outer, outer, hash_block_size(hash)) == 1)
        result = 0;
    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(outer, sizeof(outer));
    EVP_MD_free(method);
    return result;
}

struct keyed_hash *keyed_hash_create(enum hash hash, const uint8_t *key, size_t key_size)
{
    struct keyed_hash *keyed = calloc(1, sizeof(*keyed));

    if (keyed == NULL)
        return NULL;
    keyed->inner = EVP_MD_CTX_new();
    keyed->outer = EVP_MD_CTX_new();
    keyed->work = EVP_MD_CTX_new();
    if (keyed->inner == NULL || keyed->outer == NULL || keyed->work == NULL ||
        set_key(keyed, hash, key, key_size) != 0)
        keyed_hash_destroy(&keyed);
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

void keyed_hash_prefetch(const struct keyed_hash *keyed)
{
    __builtin_prefetch(keyed->inner);
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

#endif
