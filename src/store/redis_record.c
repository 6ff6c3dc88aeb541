#include "store/redis_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of `name:` at the beginning of a line, or NULL. */
static const char *find_field(const char *text, size_t length, const char *name, size_t *size_r)
{
    size_t name_length = strlen(name);
    const char *end = text + length;

    while (text < end) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        size_t line = (size_t)((line_end == NULL ? end : line_end) - text);

        if (line > name_length && memcmp(text, name, name_length) == 0 &&
            text[name_length] == ':') {
            *size_r = line - name_length - 1;
            text += name_length + 1;
            if (*size_r > 0 && text[*size_r - 1] == '\r')
                (*size_r)--;
            return text;
        }
        text += line + 1;
    }
    return NULL;
}

static bool copy_field(const char *text, size_t length, const char *name, char *field_r,
                       size_t field_size)
{
    size_t size = 0;
    const char *value = find_field(text, length, name, &size);

    if (value == NULL || size == 0 || size >= field_size || memchr(value, ' ', size) != NULL)
        return false;
    memcpy(field_r, value, size);
    field_r[size] = '\0';
    return true;
}

bool redis_info_parse(const char *text, size_t length, struct redis_identity *identity_r,
                      bool *policy_is_safe_r)
{
    struct redis_identity identity = {0};
    char evicted[24];
    char policy[32];

    if (!copy_field(text, length, "run_id", identity.run_id, sizeof(identity.run_id)) ||
        !copy_field(text, length, "master_replid", identity.replication_id,
                    sizeof(identity.replication_id)) ||
        !copy_field(text, length, "evicted_keys", evicted, sizeof(evicted)) ||
        !copy_field(text, length, "maxmemory_policy", policy, sizeof(policy)))
        return false;
    identity.evicted_keys = strtoull(evicted, NULL, 10);
    *identity_r = identity;
    *policy_is_safe_r = strcmp(policy, "noeviction") == 0;
    return true;
}

bool redis_identity_equal(const struct redis_identity *one, const struct redis_identity *other)
{
    return strcmp(one->run_id, other->run_id) == 0 &&
           strcmp(one->replication_id, other->replication_id) == 0 &&
           one->evicted_keys == other->evicted_keys;
}

void redis_marker_format(const struct redis_marker *marker, char text_r[REDIS_MARKER_SIZE])
{
    snprintf(text_r, REDIS_MARKER_SIZE, "1 %s %s %" PRIu64 " %" PRId64, marker->identity.run_id,
             marker->identity.replication_id, marker->identity.evicted_keys, marker->floor_wall_ms);
}

bool redis_marker_parse(const char *text, size_t length, struct redis_marker *marker_r)
{
    struct redis_marker marker = {0};
    char copy[REDIS_MARKER_SIZE];
    char again[REDIS_MARKER_SIZE];

    if (length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (sscanf(copy, "1 %47s %47s %" SCNu64 " %" SCNd64, marker.identity.run_id,
               marker.identity.replication_id, &marker.identity.evicted_keys,
               &marker.floor_wall_ms) != 4)
        return false;
    /* sscanf() is lenient: only what we would have written ourselves counts. */
    redis_marker_format(&marker, again);
    if (strcmp(copy, again) != 0)
        return false;
    *marker_r = marker;
    return true;
}
