#include "config/secret.h"

#include <string.h>

#include <openssl/crypto.h>

int secret_set(struct secret *secret_r, const void *bytes, size_t size)
{
    uint8_t *copy = OPENSSL_secure_malloc(size);

    if (copy == NULL)
        return -1;
    memcpy(copy, bytes, size);
    *secret_r = (struct secret){.bytes = copy, .size = size};
    return 0;
}

void secret_clear(struct secret *secret)
{
    OPENSSL_secure_clear_free(secret->bytes, secret->size);
    *secret = (struct secret){0};
}

bool secret_equal(const struct secret *one, const struct secret *other)
{
    return one->size == other->size && CRYPTO_memcmp(one->bytes, other->bytes, one->size) == 0;
}
