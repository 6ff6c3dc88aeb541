/*
 * The spent tokens, in memory: a shelf for each time step, dropped whole when nothing on it can
 * pass the time check any more. Filed by step, never by user, so its size is bounded by the tokens
 * spent in the window.
 */
#ifndef STORE_REPLAY_INDEX_H
#define STORE_REPLAY_INDEX_H

#include "base/moment.h"
#include "store/closed_time.h"
#include "store/signature_id.h"

/* Kinds of tokens whose steps mean different things, each on a timeline of its own. */
enum { SPEND_TIMELINES = 4 };

/* What is to be spent. */
struct spend {
    struct signature_id id; /* of the computed signature */
    int64_t first_step;     /* the earliest acceptable step of the token's OTP */
    int64_t filing_step;    /* the step to file it under; not before first_step */
    unsigned interval;      /* seconds of a step */
    unsigned window;        /* steps accepted either side */
    /* Steps after the filing step for which the record is kept, where that is more than the window:
     * as long as any host accepts a token of that time. Else one host's record, once dropped, would
     * close time that another still accepts. */
    unsigned keep_window;
    unsigned
        reach; /* seconds by which settings let such tokens come before their step: store/reach.h */
    unsigned timeline; /* below SPEND_TIMELINES: what is closed on one is open on the others */
};

enum spend_outcome {
    SPEND_FAILED,   /* could not be recorded; the zero: what was never found out is no yes */
    SPEND_FRESH,    /* recorded now, for the first time */
    SPEND_REPLAYED, /* spent before */
    SPEND_CLOSED,   /* of a step whose record is gone: may have been spent */
    SPEND_STARTING, /* minted before the start, and the record from before is incomplete */
    SPEND_PENDING   /* not known yet */
};

struct replay_index;

struct replay_usage {
    size_t tokens; /* spent tokens on record */
    size_t
        shelves;   /* that they are filed on: one for each time step, or more where a set is full */
    size_t memory; /* bytes that they take up */
};

/* An empty index, or NULL where memory is short. */
struct replay_index *replay_index_create(void);

/* Frees *index and sets it to NULL; NULL is allowed. */
void replay_index_destroy(struct replay_index **index);

/* Has the memory fetched in which an id will be looked for: a miss for each shelf, all at once. To be
 * called as long before as it can be known. */
void replay_index_prefetch(const struct replay_index *index, struct signature_id id);

/*
 * Spends a token at a moment: looks for it on every shelf, whatever step it is filed under, then
 * files it. SPEND_FRESH; or SPEND_REPLAYED, SPEND_CLOSED or SPEND_FAILED (memory is short), after
 * which the index knows of no other token than before.
 */
enum spend_outcome replay_index_spend(struct replay_index *index, const struct spend *spend,
                                      struct moment now);

/* Steps after the filing step for which a spent token is kept. */
unsigned spend_kept_window(const struct spend *spend);

/* When a token spent at a moment stops being acceptable by the boot-time clock, in its
 * milliseconds. */
int64_t spend_over_boot_ms(const struct spend *spend, struct moment now);

/*
 * Puts back what was spent before, whatever is closed; a token that is there already stays.
 * over_boot_ms: as it was when it was spent, or INT64_MIN where that was on another boot. Where
 * memory is short the token is lost, and its step is closed instead.
 */
void replay_index_restore(struct replay_index *index, const struct spend *spend, struct moment now,
                          int64_t over_boot_ms);

/* Takes back a spend that was SPEND_FRESH and that nobody was told of. */
void replay_index_forget(struct replay_index *index, const struct spend *spend);

/* What is closed; borrowed. And closes more. */
const struct closed_time *replay_index_closed(const struct replay_index *index);
void replay_index_close(struct replay_index *index, const struct closed_time *closed);

/*
 * Drops the shelves whose window is over by the wall clock and by the boot-time clock both, and
 * closes their steps. A clock that runs ahead for a while so drops nothing that a corrected clock
 * would accept again. Returns whether
 * it closed anything.
 */
bool replay_index_drop_old(struct replay_index *index, struct moment now);

/* Whether a token that was spent in any moment of begin .. end is still in the index. */
bool replay_index_touches(const struct replay_index *index, struct stretch stretch);

/* What the index holds. */
struct replay_usage replay_index_usage(const struct replay_index *index);

#endif
