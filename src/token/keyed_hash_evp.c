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
struct states {
    EVP_MD_CTX *inner;
    EVP_MD_CTX *outer;
    EVP_MD_CTX *work;
};

static int set_key(struct states *states, enum hash hash, const uint8_t *key, size_t key_size)
{
    EVP_MD *method = EVP_MD_fetch(NULL, hash_word(hash), NULL);
    uint8_t inner[HASH_BLOCK_MAX];
    uint8_t outer[HASH_BLOCK_MAX];
    int result = -1;

    if (method != NULL && hash_key_blocks(hash, key, key_size, inner, outer) == 0 &&
        EVP_DigestInit_ex2(states->inner, method, NULL) == 1 &&
        EVP_DigestUpdate(states->inner, inner, hash_block_size(hash)) == 1 &&
        EVP_DigestInit_ex2(states->outer, method, NULL) == 1 &&
        EVP_DigestUpdate(states->outer, outer, hash_block_size(hash)) == 1)
        result = 0;
    OPENSSL_cleanse(inner, sizeof(inner));
    OPENSSL_cleanse(outer, sizeof(outer));
    EVP_MD_free(method);
    return result;
}

int keyed_hash_init(struct keyed_hash *keyed, enum hash hash, const uint8_t *key, size_t key_size)
{
    struct states *states = calloc(1, sizeof(*states));

    *keyed = (struct keyed_hash){.hash = hash, .made = states};
    if (states == NULL)
        return -1;
    states->inner = EVP_MD_CTX_new();
    states->outer = EVP_MD_CTX_new();
    states->work = EVP_MD_CTX_new();
    if (states->inner != NULL && states->outer != NULL && states->work != NULL &&
        set_key(states, hash, key, key_size) == 0)
        return 0;
    keyed_hash_deinit(keyed);
    return -1;
}

void keyed_hash_deinit(struct keyed_hash *keyed)
{
    struct states *states = keyed->made;

    keyed->made = NULL;
    if (states == NULL)
        return;
    EVP_MD_CTX_free(states->inner);
    EVP_MD_CTX_free(states->outer);
    EVP_MD_CTX_free(states->work);
    free(states);
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

int keyed_hash_compute(const struct keyed_hash *keyed, const void *message, size_t size,
                       uint8_t output_r[HASH_SIZE_MAX])
{
    const struct states *states = keyed->made;
    uint8_t digest[HASH_SIZE_MAX];
    int result = finish(states->work, states->inner, message, size, digest);

    if (result == 0)
        result = finish(states->work, states->outer, digest, hash_size(keyed->hash), output_r);
    OPENSSL_cleanse(digest, sizeof(digest));
    return result;
}

#endif
