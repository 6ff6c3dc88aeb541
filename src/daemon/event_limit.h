/*
 * Log lines that peers can cause, held to a few in ten seconds for each kind; how many more there
 * would have been is written when the ten seconds are over. Verdicts have sums of their own
 * (verdict_log.h).
 */
#ifndef DAEMON_EVENT_LIMIT_H
#define DAEMON_EVENT_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/moment.h"

enum limited_event {
    LIMITED_TIMEOUT,
    LIMITED_REFUSED,
    LIMITED_FAILED,
    LIMITED_PAUSED,
    LIMITED_ACCEPT_FAILED,
    LIMITED_CONTROL_REFUSED,
    LIMITED_SHORTAGE,
    LIMITED_COUNT
};

enum { LIMITED_LINES = 5, LIMITED_SECONDS = 10 };

/* All zero: nothing was logged. */
struct event_limits {
    struct {
        int64_t ends;    /* seconds of the boot clock */
        unsigned lines;  /* written up to then */
        uint64_t summed; /* left out */
    } events[LIMITED_COUNT];
};

/* Whether an event gets its line; else it is counted. */
bool event_limit_allows(struct event_limits *limits, enum limited_event event, struct moment now);

/* Writes what was left out and is due. About once a second. */
void event_limit_flush(struct event_limits *limits, struct moment now);

#endif
