#include "token/keyed_hash.h"

#include <stdbool.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

struct keyed_hash {
    EVP_MAC_CTX *context;
    bool rewound; /* EVP_MAC_init with the key has rewound it already */
};

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

static EVP_MAC_CTX *new_context(void)
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    EVP_MAC_CTX *context = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);

    EVP_MAC_free(hmac);
    return context;
}

static bool set_key(EVP_MAC_CTX *context, enum hash hash, const uint8_t *key, size_t key_size)
{
    char digest[8];
    OSSL_PARAM parameters[2] = {OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end()};
    size_t i = 0;

    /* The parameter takes a pointer to writable characters. */
    for (; hashes[hash].word[i] != '\0'; i++)
        digest[i] = hashes[hash].word[i];
    digest[i] = '\0';
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
    return EVP_MAC_init(context, key, key_size, parameters) == 1;
}

struct keyed_hash *keyed_hash_create(enum hash hash, const uint8_t *key, size_t key_size)
{
    struct keyed_hash *keyed = calloc(1, sizeof(*keyed));

    if (keyed == NULL)
        return NULL;
    keyed->context = new_context();
    if (keyed->context == NULL || !set_key(keyed->context, hash, key, key_size)) {
        keyed_hash_destroy(&keyed);
        return NULL;
    }
    keyed->rewound = true;
    return keyed;
}

void keyed_hash_destroy(struct keyed_hash **keyed)
{
    if (*keyed == NULL)
        return;
    EVP_MAC_CTX_free((*keyed)->context);
    free(*keyed);
    *keyed = NULL;
}

int keyed_hash_compute(struct keyed_hash *keyed, const void *message, size_t size,
                       uint8_t output_r[HASH_SIZE_MAX])
{
    bool rewound = keyed->rewound;
    size_t output_size;

    keyed->rewound = false;
    if (!rewound && EVP_MAC_init(keyed->context, NULL, 0, NULL) != 1)
        return -1;
    if (EVP_MAC_update(keyed->context, message, size) != 1 ||
        EVP_MAC_final(keyed->context, output_r, &output_size, HASH_SIZE_MAX) != 1)
        return -1;
    return 0;
}
