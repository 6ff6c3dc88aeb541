/*
 * How far ahead of its own step a token can have been spent, by the settings: what the start floor
 * must look beyond. Settings change, and what was spent under wider ones is still about for a
 * while; should its record be lost meanwhile, the settings of today tell too little. So the widest
 * of those that are no longer in force is kept, in the state directory too, until all that was spent
 * under them is too old.
 */
#ifndef STORE_REACH_H
#define STORE_REACH_H

#include "base/moment.h"
#include "store/replay_index.h"

/* What a configuration allows. */
struct reach {
    uint64_t settings; /* a fingerprint of each host's: whether it is the same for all of them */
    int64_t seconds[SPEND_TIMELINES]; /* the furthest of all hosts; 0: no such tokens */
};

/* Seconds that no setting goes beyond. */
enum { REACH_MAX = 4 * 3600 };

struct reach_history {
    struct reach current;
    int64_t former[SPEND_TIMELINES]; /* the furthest of those before; 0: of no matter any more */
    int64_t ended_wall_ms;           /* when the last of those before was given up */
    int64_t ended_boot_ms;
};

/* Takes on what a configuration allows from now on; what was allowed until now becomes a former one.
 * Returns whether that changed anything. */
bool reach_follow(struct reach_history *history, const struct reach *next, struct moment now);

/* Forgets the former ones when all that was spent under them is too old, by both clocks. */
void reach_forget(struct reach_history *history, struct moment now);

/*
 * Reads it from the directory at a start and takes on what the configuration allows; a file that is
 * damaged counts as the furthest that there is. Then it is written, and on the disk, when this
 * returns 0; -1 with errno where it can't be. *history_r is filled in both cases.
 */
__attribute__((warn_unused_result)) int reach_begin(struct reach_history *history_r, int directory,
                                                    const struct reach *current, struct moment now);

/* Writes it, in the place of what was there; on the disk some time later. 0, or -1 with errno. */
__attribute__((warn_unused_result)) int reach_write(const struct reach_history *history,
                                                    int directory);

#endif
