/* What the daemon remembers: its state directory, and the store of spent tokens that the
 * configuration asks for. */
#ifndef DAEMON_STORE_H
#define DAEMON_STORE_H

#include "daemon/server.h"

/* Opens the state directory and the database of users (server->state, server->accounts). 0, or -1
 * after logging what failed. */
__attribute__((warn_unused_result)) int server_open_state(struct server *server);

/* Why nothing may be kept in the state directory any more, in static words; NULL: it may. */
const char *server_state_lost(const struct server *server);

/* The limits that a configuration sets for the users remembered. */
struct accounts_limits server_accounts_limits(const struct config *config);

/* Opens the store, after the state. NULL after logging what
 * failed. Logs a warning where the record of tokens spent before is incomplete. */
struct spent_store *server_open_store(struct server *server);

#endif
