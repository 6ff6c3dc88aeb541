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

/* What INFO says. */
struct redis_server {
    struct redis_identity identity;
    bool is_master;
    bool policy_is_safe; /* maxmemory-policy is noeviction */
};

struct redis_marker {
    struct redis_identity identity;
    int64_t floor_wall_ms;
};

/* Reads what is needed of INFO's text (length bytes). False where something is missing. */
bool redis_info_parse(const char *text, size_t length, struct redis_server *server_r);

/* Whether nothing can have been lost between the two. */
bool redis_identity_equal(const struct redis_identity *one, const struct redis_identity *other);

/* The marker's text, terminated; and back. False for a text that is no marker. */
void redis_marker_format(const struct redis_marker *marker, char text_r[REDIS_MARKER_SIZE]);
bool redis_marker_parse(const char *text, size_t length, struct redis_marker *marker_r);

/*
 * The server's wall clock against our boot-time clock. Clocks drift apart, slowly, and are set: a
 * clock that is set forward makes keys expire too early, one that is set back only keeps them
 * longer.
 */
struct redis_clock {
    bool is_known;
    int64_t offset_ms; /* server's wall clock minus our boot-time clock, at its lowest lately */
    int64_t boot_ms;   /* of the last reading */
};

/*
 * Takes in a reading. True where the server's clock went on as ours did, within a tolerance and but
 * for a drift of a hundredth; false where it was set forward since: *expected_ms_r is what it would
 * show by now otherwise, and it is believed from here on.
 */
bool redis_clock_observe(struct redis_clock *clock, int64_t server_wall_ms, int64_t boot_ms,
                         int64_t tolerance_ms, int64_t *expected_ms_r);

#endif
