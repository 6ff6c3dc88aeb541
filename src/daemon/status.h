/* What `status` answers on the control socket. */
#ifndef DAEMON_STATUS_H
#define DAEMON_STATUS_H

#include <event2/buffer.h>

#include "daemon/server.h"

/* Writes the daemon's state as logfmt lines; each begins with what=..., the verdicts a line each
 * that occurred. */
void status_write(struct server *server, struct evbuffer *output);

#endif
