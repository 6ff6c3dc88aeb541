/* Whether a login could be decided now. */
#ifndef DAEMON_READINESS_H
#define DAEMON_READINESS_H

#include "daemon/server.h"

enum readiness {
    READY,
    READINESS_STARTING,    /* fresh tokens are refused, for they may have been spent before */
    READINESS_STORE_ERROR, /* spent tokens can't be recorded */
    READINESS_DRAINING     /* the daemon was told to stop */
};

enum { READINESS_TEXT_SIZE = 256 };

/* How ready the daemon is, in a line of text too (its end included). */
enum readiness readiness_of(struct server *server, char text_r[READINESS_TEXT_SIZE]);

#endif
