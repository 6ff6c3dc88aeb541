/*
 * What is counted: verdicts by host section and reason, uses by key, how long decisions take, and
 * what is known of the minters' clocks. Bounded by the configuration: a peer that invents domains
 * adds to one row. A verdict costs a few additions; rows are found by their place in the
 * configuration, never by name, and nothing is allocated but at a reload.
 *
 * Rows survive a reload. Those of hosts and keys that it removed are gone, and begin at 0 when they
 * come back; the totals never go back.
 */
#ifndef DAEMON_TALLY_H
#define DAEMON_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/cache_line.h"
#include "config/config.h"
#include "daemon/clock_watch.h"
#include "token/reason.h"

struct tally_counts {
    uint64_t auth[REASON_COUNT];    /* verdicts on auth, malformed and unsupported questions */
    uint64_t is_user[REASON_COUNT]; /* verdicts on isuser questions */
};

/* One line. Seconds since the epoch in last_*; 0: never. */
struct tally_key {
    _Alignas(CACHE_LINE) uint64_t id; /* the fingerprint as a number, by which it is known after a
                                         reload; never 0 */
    uint64_t uses;                    /* logins that were allowed by it */
    int64_t last_use;                 /* of them */
    int64_t last_genuine; /* a token of it, whatever its verdict: its minter may be at work still;
                              who keeps sending a dead token refreshes it too */
    const char *name; /* "" for the section's own; borrowed from the configuration; NULL: removed */
    SLIST_ENTRY(tally_key) next;
    int64_t since;   /* when counting began: at the start, or the reload that brought the key */
    bool is_removed; /* by a reload */
};
_Static_assert(sizeof(struct tally_key) == CACHE_LINE, "a key is one line");

/* How far a host's minters are ahead (behind: negative) of this machine, in seconds. */
struct tally_clock {
    int64_t measured;     /* by the last genuine token that missed its window; one client that
                             keeps sending a dead token can make it anything negative */
    int64_t measured_at;  /* seconds since the epoch; 0: never */
    int64_t confirmed;    /* by several users' tokens; counts while confirmed_at is not 0 */
    int64_t confirmed_at; /* seconds since the epoch, of the last confirmation; 0: the clocks agree
                             as far as is known */
    struct clock_watch watch; /* what confirmed rests on */
};

SLIST_HEAD(tally_key_list, tally_key);

/* What is seldom needed of a row. */
struct tally_rest {
    const char *name; /* the section's: a domain or "*"; borrowed from the configuration */
    struct tally_counts counts; /* but for the logins that were allowed */
    struct tally_clock clock;
};

/* One line, which is all that an allowed login takes, and its key's: with thousands of hosts a row
 * comes from far away. */
struct tally_host {
    _Alignas(CACHE_LINE) uint64_t allowed; /* logins */
    struct tally_key **keys;               /* in the order of the configuration's */
    struct tally_key *only_key;            /* where keys stand that are one alone */
    size_t key_count;
    struct tally_key_list all_keys; /* removed ones too, while something is pending */
    struct tally_rest *rest;
    unsigned pending;           /* answers to come that refer to this row */
    bool is_removed;            /* by a reload; freed with the last pending answer */
    bool clock_is_watched;      /* the rest's clock.watch knows something */
    uint8_t log_place;          /* of its sum in the verdicts' log, if that is still its own */
    struct tally_key first_key; /* of the host as it came; others have memory of their own */
};
_Static_assert(offsetof(struct tally_host, first_key) == CACHE_LINE, "a row is one line");

/* Bounds of the latency's buckets in nanoseconds, inclusive, rising; the last bucket has none. */
enum { TALLY_LATENCY_BOUNDS = 20 };
extern const int64_t tally_latency_bounds_ns[TALLY_LATENCY_BOUNDS];

/* From a question's reading to its answer's filling, both as their turn of the loop has it. */
struct tally_latency {
    uint64_t counts[TALLY_LATENCY_BOUNDS + 1]; /* each without those of the buckets below */
    uint64_t total;
    uint64_t sum_ns;
};

struct tally_plan;

struct tally {
    const struct config *config;
    struct tally_host **hosts; /* in the order of the configuration's */
    size_t host_count;
    struct tally_counts no_host; /* questions about no served domain, or that were not understood */
    struct tally_counts all;     /* of this process's life, removed hosts included */
    struct tally_latency latency;
};

/* An empty tally that follows no configuration yet. Released with tally_deinit(). */
void tally_init(struct tally *tally);

/* Frees. No answer may be pending. */
void tally_deinit(struct tally *tally);

/*
 * What it takes to follow another configuration, next, which is borrowed: all that allocates and all
 * that searches. Made in any thread while the tally goes on counting; it must not follow anything
 * else meanwhile. seconds: the time since the epoch. NULL where memory is short; released with
 * tally_plan_destroy().
 */
struct tally_plan *tally_plan_create(const struct tally *tally, const struct config *next,
                                     int64_t seconds);

/*
 * Has a row for each host and key of the plan's configuration, borrowed until the one after it is
 * followed; call before the configuration followed so far is destroyed. The plan keeps what is used
 * up, and is only to be destroyed from here on.
 */
void tally_follow(struct tally *tally, struct tally_plan *plan);

/* Frees in any thread, and sets *plan to NULL; NULL is allowed. */
void tally_plan_destroy(struct tally_plan **plan);

/* The row of a host of the configuration that is followed; of NULL: NULL. Valid until the next
 * reload, or longer while it is held. */
struct tally_host *tally_host_of(const struct tally *tally, const struct host *host);

/* Has a row's memory fetched for a verdict that will be counted, and its first key's. */
void tally_prefetch(const struct tally_host *row);

/* All that was counted under a row. */
struct tally_counts tally_counts_of(const struct tally_host *row);

/* Keeps a row for an answer that is to come, whatever is reloaded until then; each hold is given
 * back once. NULL is allowed. */
void tally_hold(struct tally_host *row);
void tally_release(struct tally_host **row);

/* Counts a verdict under a row, or under that of no host where it is NULL. */
void tally_count(struct tally *tally, struct tally_host *row, bool is_user, enum reason reason);

/* Notes that a genuine token of a key came, and that it let somebody in. seconds since the epoch. */
void tally_note_genuine(struct tally_key *key, int64_t seconds);
void tally_note_use(struct tally_key *key, int64_t seconds);

/* Adds count decisions that took so long; what is negative counts as 0. */
void tally_add_latency(struct tally *tally, int64_t nanoseconds, uint64_t count);

#endif
