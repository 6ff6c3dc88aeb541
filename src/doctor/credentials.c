#include "doctor/credentials.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/crypto.h>

/* Memory that knows its size, so that it can be wiped. */
struct block {
    size_t size;
    alignas(max_align_t) char bytes[];
};

static void *allocate(size_t size)
{
    struct block *block = size > SIZE_MAX / 2 ? NULL : malloc(sizeof(*block) + size);

    if (block == NULL)
        return NULL;
    block->size = size;
    return block->bytes;
}

static void wipe_and_free(void *bytes)
{
    struct block *block;

    if (bytes == NULL)
        return;
    block = (struct block *)(void *)((char *)bytes - offsetof(struct block, bytes));
    OPENSSL_cleanse(block, sizeof(*block) + block->size);
    free(block);
}

static const char *copy(const json_t *object, const char *name, char *text_r, size_t room)
{
    const json_t *value = json_object_get(object, name);
    bool is_jid = strcmp(name, "jid") == 0;

    if (value == NULL)
        return is_jid ? "it has no \"jid\"" : "it has no \"password\"";
    if (!json_is_string(value))
        return is_jid ? "its \"jid\" is no text" : "its \"password\" is no text";
    if (json_string_length(value) == 0 || json_string_length(value) >= room)
        return is_jid ? "its \"jid\" is empty or far too long"
                      : "its \"password\" is empty or far too long";
    memcpy(text_r, json_string_value(value), json_string_length(value) + 1);
    return NULL;
}

const char *credentials_parse(const char *json, size_t length, struct credentials *credentials_r)
{
    const char *fault = "it is no JSON object";
    json_error_t error;
    json_t *root;

    json_set_alloc_funcs(allocate, wipe_and_free);
    root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    OPENSSL_cleanse(&error, sizeof(error)); /* it quotes what it does not understand */
    if (json_is_object(root)) {
        fault = copy(root, "jid", credentials_r->jid, sizeof(credentials_r->jid));
        if (fault == NULL)
            fault =
                copy(root, "password", credentials_r->password, sizeof(credentials_r->password));
    }
    json_decref(root);
    return fault;
}
