/* Taking on another configuration while running. */
#ifndef DAEMON_RELOAD_H
#define DAEMON_RELOAD_H

#include "config/problems.h"
#include "daemon/server.h"

/*
 * Loads the configuration file again: all of it is right and may replace the current one, or
 * nothing changes. Connections and spent tokens stay either way. Logs the outcome and each problem.
 */
void server_reload(struct server *server);

/* Logs each problem as a line of its own, with the level of its severity. */
void log_problems(const struct problems *problems);

#endif
