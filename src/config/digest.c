#include "config/digest.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

int config_digest(const struct config *config, char digest_r[CONFIG_DIGEST_SIZE])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char *dump = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&dump, &size);
    int result = -1;

    if (stream == NULL)
        return -1;
    config_dump(config, stream);
    if (fclose(stream) == 0 && EVP_Digest(dump, size, hash, NULL, EVP_sha256(), NULL) == 1) {
        for (size_t i = 0; i < (CONFIG_DIGEST_SIZE - 1) / 2; i++)
            snprintf(digest_r + 2 * i, 3, "%02x", hash[i]);
        result = 0;
    }
    free(dump);
    return result;
}
