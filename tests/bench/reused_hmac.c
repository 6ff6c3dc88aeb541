#include "reused_hmac.h"

#include <stdio.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

EVP_MAC_CTX *reused_hmac_create(const char *digest, const void *key, size_t key_size)
{
    char name[16];
    OSSL_PARAM parameters[2];
    EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);

    EVP_MAC_free(mac);
    snprintf(name, sizeof(name), "%s", digest);
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
    parameters[1] = OSSL_PARAM_construct_end();
    if (context != NULL && EVP_MAC_init(context, key, key_size, parameters) != 1) {
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}

int reused_hmac_compute(EVP_MAC_CTX *context, const void *message, size_t size, uint8_t *output_r,
                        size_t output_size)
{
    size_t written;

    if (EVP_MAC_init(context, NULL, 0, NULL) != 1 || EVP_MAC_update(context, message, size) != 1 ||
        EVP_MAC_final(context, output_r, &written, output_size) != 1)
        return -1;
    return 0;
}
