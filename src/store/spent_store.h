/*
 * What remembers spent tokens. One small interface; behind it the index in memory alone, or with a
 * journal, or with a store that several daemons share. A token is spent when its outcome is
 * SPEND_FRESH, and not before.
 *
 * The outcome of spend() comes in one of three ways, and the caller is ready for each: at once; by
 * its waiter when commit() is called at the end of the event loop's turn; or by its waiter some
 * turns later.
 */
#ifndef STORE_SPENT_STORE_H
#define STORE_SPENT_STORE_H

#include <sys/queue.h>

#include "store/reach.h"
#include "store/replay_index.h"
#include "store/start_floor.h"

/*
 * Who waits for an outcome. Embed it, set resolve; the store holds it from a spend() that answers
 * SPEND_PENDING until it calls resolve, exactly once, never from within spend().
 */
struct spend_waiter {
    STAILQ_ENTRY(spend_waiter) next; /* the store's */
    struct spend spend;              /* what is being spent; the store's copy */
    int64_t since_boot_ms;           /* the store's: when it began to wait */
    void (*resolve)(struct spend_waiter *waiter, enum spend_outcome outcome);
};

STAILQ_HEAD(waiter_list, spend_waiter);

struct spent_store;

struct spent_store_operations {
    const char *word; /* as in the configuration */
    enum spend_outcome (*spend)(struct spent_store *store, const struct spend *spend,
                                struct moment now, struct spend_waiter *waiter);
    void (*commit)(struct spent_store *store, struct moment now);
    void (*tick)(struct spent_store *store, struct moment now);
    void (*destroy)(struct spent_store *store);
};

/* The part that all stores share. */
struct spent_store {
    const struct spent_store_operations *operations;
    struct replay_index *index;
    struct start_floor floor;
    struct reach_history reach;
    int reach_directory; /* where it is kept; -1: nowhere */
    bool reach_is_unwritten;
    bool accepts_unvouched; /* the operator takes the floor's risk: it is kept, and not held to */
    uint64_t failures;      /* spends that could not be recorded */
    const char *failure;    /* what fails now, in static words; NULL: nothing */
    const char *suspended;  /* why nothing may be spent, in static words; NULL: it may */
};

/*
 * Spends a token at a moment. SPEND_PENDING: waiter will be told. Anything else is final and the
 * waiter is not used.
 */
enum spend_outcome spent_store_spend(struct spent_store *store, const struct spend *spend,
                                     struct moment now, struct spend_waiter *waiter);

/* From here on nothing is spent, for that reason (static words), or spending goes on (NULL). */
void spent_store_suspend(struct spent_store *store, const char *why);

/* Ends the turn: what was spent in it is made to last, then those who wait for that are told. */
void spent_store_commit(struct spent_store *store, struct moment now);

/* What is due about once a second: old records dropped, the clock watched. */
void spent_store_tick(struct spent_store *store, struct moment now);

/* Tells whoever still waits SPEND_FAILED, closes, frees, and sets *store to NULL; NULL is allowed.
 */
void spent_store_destroy(struct spent_store **store);

/*
 * How far the settings reach, at the start: what they were before is found in the directory
 * (borrowed; -1: there is none), and what they are now is kept in it. 0, or -1 with errno where it
 * can't be.
 */
__attribute__((warn_unused_result)) int spent_store_begin_reach(struct spent_store *store,
                                                                int directory,
                                                                const struct reach *reach,
                                                                struct moment now);

/* Other settings are in force from now on. */
void spent_store_follow_reach(struct spent_store *store, const struct reach *reach,
                              struct moment now);

/* Whether a token may have been spent before the start, and nobody would know: it is to be refused. */
bool spent_store_doubts(const struct spent_store *store, const struct spend *spend);

/*
 * The time, in seconds since the epoch, from which tokens of this interval, window, reach and
 * timeline are not refused as SPEND_STARTING any more; 0 where none are.
 */
int64_t spent_store_opens(const struct spent_store *store, const struct spend *kind,
                          struct moment now);

/*
 * The first half of every store's spend(): SPEND_STARTING where the floor covers the token,
 * SPEND_REPLAYED or SPEND_CLOSED where the index knows it, SPEND_FAILED where memory is short, else
 * SPEND_FRESH: it is in the index now.
 */
enum spend_outcome spent_store_file(struct spent_store *store, const struct spend *spend,
                                    struct moment now);

/* The index in memory alone: it begins empty, so it vouches for nothing minted before start unless
 * accept says so. NULL where memory is short. */
struct spent_store *memory_store_create(struct moment start, bool accept);

#endif
