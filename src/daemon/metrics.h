/*
 * What /metrics says, in portions: with thousands of hosts it is megabytes, and the loop has logins
 * to answer in between. Labels come from the configuration and from the code alone: no user's name,
 * no domain that a peer made up, no secret.
 */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include <stdbool.h>

#include <event2/buffer.h>

#include "daemon/server.h"

/* Where a writing stands. Zeroed: at the beginning. */
struct metrics_place {
    size_t family;
    size_t host;
    bool in_hosts;
};

/*
 * Appends a portion, of some ten kilobytes, to output, and moves *place behind it. Returns whether
 * more is to come. After a reload a place means nothing: the writing has to be given up.
 */
__attribute__((warn_unused_result)) bool
metrics_write(struct server *server, struct metrics_place *place, struct evbuffer *output);

#endif
