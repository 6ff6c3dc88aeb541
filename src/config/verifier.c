#include "config/verifier.h"

#include <stdlib.h>
#include <string.h>

#include "base/little_endian.h"
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

/* Eight bytes at a time, the last of them perhaps twice: a library's call would cost several times as
 * much. */
static bool is_same(const char *one, const char *other, size_t length)
{
    uint64_t different, a, b;

    if (length < sizeof(a))
        return memcmp(one, other, length) == 0;
    (void)take_u64((const uint8_t *)one + length - sizeof(a), &a);
    (void)take_u64((const uint8_t *)other + length - sizeof(b), &b);
    different = a ^ b;
    for (size_t at = 0; at + sizeof(a) < length; at += sizeof(a)) {
        (void)take_u64((const uint8_t *)one + at, &a);
        (void)take_u64((const uint8_t *)other + at, &b);
        different |= a ^ b;
    }
    return different == 0;
}

bool verifier_is_named(const struct verifier *verifier, const char *domain, size_t length)
{
    return length > 0 && length == verifier->name_length && is_same(verifier->name, domain, length);
}
