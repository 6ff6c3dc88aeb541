/*
 * Taking on another configuration while running. It is read, checked and made ready in a thread of
 * its own, and so is the old one freed: with thousands of hosts both take longer than an answer may.
 * In between the loop swaps a pointer.
 */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "config/problems.h"
#include "daemon/server.h"

/* What reloads need. 0, or -1 where memory or descriptors are short. */
__attribute__((warn_unused_result)) int reload_open(struct server *server);

/*
 * Begins to load the configuration file again: all of it is right and may replace the current one,
 * or nothing changes. Connections and spent tokens stay either way. The outcome is logged in a later
 * turn, with each problem, when the old configuration's secrets are gone. Asked for while another
 * reload is on its way, one more follows it: the file may have changed since it was read.
 */
void server_reload(struct server *server);

/* Waits for a reload that is on its way, whose outcome nobody needs any more. */
void reload_close(struct server *server);

/* Logs each problem as a line of its own, with the level of its severity. */
void log_problems(const struct problems *problems);

#endif
