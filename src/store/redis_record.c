#include "store/redis_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

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

bool redis_info_parse(const char *text, size_t length, struct redis_server *server_r)
{
    struct redis_server server = {0};
    struct redis_identity *identity = &server.identity;
    char evicted[24];
    char policy[32];
    char role[16];

    if (!copy_field(text, length, "run_id", identity->run_id, sizeof(identity->run_id)) ||
        !copy_field(text, length, "master_replid", identity->replication_id,
                    sizeof(identity->replication_id)) ||
        !copy_field(text, length, "evicted_keys", evicted, sizeof(evicted)) ||
        !copy_field(text, length, "maxmemory_policy", policy, sizeof(policy)) ||
        !copy_field(text, length, "role", role, sizeof(role)))
        return false;
    identity->evicted_keys = strtoull(evicted, NULL, 10);
    server.policy_is_safe = strcmp(policy, "noeviction") == 0;
    server.is_master = strcmp(role, "master") == 0;
    *server_r = server;
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

/* Cuts the next word off; NULL where there is none, or it is longer than size - 1. */
static const char *take_word(const char *text, char *word_r, size_t size)
{
    size_t length = strcspn(text, " ");

    if (length == 0 || length >= size)
        return NULL;
    memcpy(word_r, text, length);
    word_r[length] = '\0';
    return text[length] == ' ' ? text + length + 1 : text + length;
}

bool redis_marker_parse(const char *text, size_t length, struct redis_marker *marker_r)
{
    struct redis_marker marker = {0};
    char copy[REDIS_MARKER_SIZE], again[REDIS_MARKER_SIZE];
    char version[8], evicted[24], floor_ms[24];
    const char *at = copy;
    int64_t evicted_keys;

    if (length >= sizeof(copy))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if ((at = take_word(at, version, sizeof(version))) == NULL ||
        (at = take_word(at, marker.identity.run_id, REDIS_ID_SIZE)) == NULL ||
        (at = take_word(at, marker.identity.replication_id, REDIS_ID_SIZE)) == NULL ||
        (at = take_word(at, evicted, sizeof(evicted))) == NULL ||
        take_word(at, floor_ms, sizeof(floor_ms)) == NULL ||
        number_parse(evicted, strlen(evicted), &evicted_keys) != 0 ||
        number_parse(floor_ms, strlen(floor_ms), &marker.floor_wall_ms) != 0)
        return false;
    marker.identity.evicted_keys = (uint64_t)evicted_keys;
    /* Only what we would have written ourselves counts. */
    redis_marker_format(&marker, again);
    if (strcmp(copy, again) != 0)
        return false;
    *marker_r = marker;
    return true;
}

bool redis_clock_observe(struct redis_clock *clock, int64_t server_wall_ms, int64_t boot_ms,
                         int64_t tolerance_ms, int64_t *expected_ms_r)
{
    int64_t offset_ms = server_wall_ms - boot_ms;
    int64_t believed_ms = clock->offset_ms + (boot_ms - clock->boot_ms) / 100;
    bool was_set = clock->is_known && offset_ms > believed_ms + tolerance_ms;

    if (was_set)
        *expected_ms_r = boot_ms + believed_ms;
    if (was_set || !clock->is_known || offset_ms < believed_ms)
        believed_ms = offset_ms;
    *clock = (struct redis_clock){.is_known = true, .offset_ms = believed_ms, .boot_ms = boot_ms};
    return !was_set;
}
