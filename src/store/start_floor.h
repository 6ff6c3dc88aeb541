/*
 * What an incomplete record of spent tokens can't vouch for: the tokens minted up to the start.
 * Their steps are refused as `starting` until the clock has left them behind.
 */
#ifndef STORE_START_FLOOR_H
#define STORE_START_FLOOR_H

#include <stdbool.h>

#include "base/moment.h"

struct start_floor {
    bool active;
    int64_t start_wall_ms; /* the start by the latest of all readings of the wall clock since */
    int64_t start_boot_ms;
};

/* A floor at the moment of the start. */
void start_floor_set(struct start_floor *floor, struct moment start);

/*
 * Takes in a reading of the clocks: the start is carried in elapsed boot time, and where the wall
 * clock was corrected since, the later of the two instants counts, so that a correction can't open
 * the floor early.
 */
void start_floor_observe(struct start_floor *floor, struct moment now);

/* Whether a token that may have been minted in a step (interval in seconds, window steps either
 * side) could have been spent before the start: whether the step is not later than the start's plus
 * window. */
bool start_floor_covers(const struct start_floor *floor, int64_t step, unsigned interval,
                        unsigned window);

/* The time, in seconds since the epoch, from which a token minted right then with this interval and
 * window passes. */
int64_t start_floor_opens(const struct start_floor *floor, unsigned interval, unsigned window);

#endif
