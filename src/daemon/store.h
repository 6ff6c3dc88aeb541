/* The store of spent tokens that the configuration asks for. */
#ifndef DAEMON_STORE_H
#define DAEMON_STORE_H

#include "daemon/server.h"

/* Opens it, with the state directory where it needs one (server->state). NULL after logging what
 * failed. Logs a warning where the record of tokens spent before is incomplete. */
struct spent_store *server_open_store(struct server *server);

#endif
