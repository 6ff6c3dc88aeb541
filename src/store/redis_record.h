/*
 * Whether the record of spent tokens in a Redis is whole: what INFO and the marker, a key of our
 * own, tell. Pure.
 *
 * The marker names the server's run and replication, how many keys it had evicted, and the floor:
 * the instant up to which the record can't vouch for tokens. It is written anew whenever the rest
 * of it changes, with the floor set to that moment, so that a daemon which starts later knows of it
 * too.
 */
#ifndef STORE_REDIS_RECORD_H
#define STORE_REDIS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REDIS_ID_SIZE = 48, REDIS_MARKER_SIZE = 192 };

struct redis_identity {
    char run_id[REDIS_ID_SIZE];
    char replication_id[REDIS_ID_SIZE];
    uint64_t evicted_keys;
};

struct redis_marker {
    struct redis_identity identity;
    int64_t floor_wall_ms;
};

/* Reads what is needed of INFO's text (length bytes). False where something is missing.
 * policy_is_safe_r: maxmemory-policy is noeviction. */
bool redis_info_parse(const char *text, size_t length, struct redis_identity *identity_r,
                      bool *policy_is_safe_r);

/* Whether nothing can have been lost between the two. */
bool redis_identity_equal(const struct redis_identity *one, const struct redis_identity *other);

/* The marker's text, terminated; and back. False for a text that is no marker. */
void redis_marker_format(const struct redis_marker *marker, char text_r[REDIS_MARKER_SIZE]);
bool redis_marker_parse(const char *text, size_t length, struct redis_marker *marker_r);

#endif
