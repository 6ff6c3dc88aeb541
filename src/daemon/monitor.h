/* What [http] serves: /metrics, /healthz and /readyz, for programs that watch the daemon. */
#ifndef DAEMON_MONITOR_H
#define DAEMON_MONITOR_H

#include "daemon/server.h"

/* Opens the [http] listener, if there is one. 0, or -1 after logging what failed. */
__attribute__((warn_unused_result)) int monitor_open(struct server *server);

/* Closes it and its clients and removes its file. It stays open while the daemon drains. */
void monitor_close(struct server *server);

#endif
