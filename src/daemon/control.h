/*
 * The operator's socket: one request line in, logfmt lines out, then it closes. For root and the
 * daemon's own user; apart from the chat servers' connections and their limit.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "daemon/server.h"

/* Opens the control socket. 0, or -1 after logging what failed. */
__attribute__((warn_unused_result)) int control_open(struct server *server);

/* Ends clients that have neither said nor read anything for too long. libevent does so too, unless it
 * was refused the memory for it. About once a second. */
void control_expire(struct server *server, struct moment now);

/* Closes it and its clients and removes its file. */
void control_close(struct server *server);

#endif
