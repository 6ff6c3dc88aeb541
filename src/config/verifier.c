#include "config/verifier.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int verifiers_create(struct config *config, size_t count)
{
    config->verifiers = cache_lines_alloc(count * sizeof(struct verifier));
    return config->verifiers == NULL ? -1 : 0;
}

void verifiers_destroy(struct config *config)
{
    free(config->verifiers);
    config->verifiers = NULL;
}

static void fill(struct verifier *verifier, const struct host *host)
{
    size_t length = strlen(host->name);

    verifier->format = host->format;
    verifier->keep_window = host->keep_window;
    memcpy(verifier->reach, host->reach, sizeof(verifier->reach));
    verifier->is_user = host->is_user.mode;
    verifier->keys =
        (struct judge_keys){host->keys, host->key_fingerprints, host->key_count, host->jsxc};
    if (host->key_count == 1) {
        verifier->only_key = host->keys[0];
        verifier->keys.keys = &verifier->only_key;
    }
    if (length > NAME_AT_HAND)
        return;
    memcpy(verifier->name, host->name, length);
    verifier->name_length = (uint8_t)length;
}

void verifiers_fill(struct config *config)
{
    for (size_t i = 0; i < config->host_count; i++)
        fill(&config->verifiers[i], &config->hosts[i]);
}

bool verifier_is_named(const struct verifier *verifier, const char *domain, size_t length)
{
    return length > 0 && length == verifier->name_length &&
           memcmp(verifier->name, domain, length) == 0;
}
