#ifndef RELAY_UPSTREAM_H
#define RELAY_UPSTREAM_H

#include <stddef.h>
#include <stdint.h>

#include "relay/asker.h"
#include "relay/framing.h"

/* The connection to the daemon, and the clock of its outages. */
struct relay_upstream {
    const char *path; /* the daemon's socket; borrowed */
    int descriptor;   /* -1: not connected */

    /* An outage lasts from the first failed attempt to hand over a question until one has been
     * handed over. */
    int64_t outage_since; /* -1: none */
    unsigned denied_in_outage;
};

enum relay_verdict {
    RELAY_VERDICT_YES,         /* the daemon said yes to this very question */
    RELAY_VERDICT_NO,          /* it said no, or no valid answer came: deny */
    RELAY_VERDICT_INTERRUPTED, /* more input came meanwhile (only if interruptible); the question
                                  must be denied */
    RELAY_VERDICT_GONE,        /* the chat server is gone: exit */
};

/* Starts unconnected. path is borrowed for the life of the upstream. */
void relay_upstream_init(struct relay_upstream *upstream, const char *path);

/*
 * Asks the daemon one framed question and waits for its answer, for 5 s at most after it was sent
 * and not beyond deadline (RELAY_NEVER: no further limit). Connects first where needed: in an
 * outage it tries again until the outage is 4 s old, after that once.
 *
 * A question is handed to one connection only, with one exception that proves that it was not
 * delivered (see upstream.c). Without a whole and valid answer the connection is closed, so that no
 * later question gets the answer of this one.
 */
enum relay_verdict relay_upstream_ask(struct relay_upstream *upstream, struct relay_asker *asker,
                                      enum relay_framing framing, const uint8_t *question,
                                      size_t length, bool interruptible, int64_t deadline);

/* Closes an idle connection on which anything has come: end of stream, or bytes that nobody asked
 * for. */
void relay_upstream_check(struct relay_upstream *upstream);

#endif
