/* Whether a Host header names this very machine. */
#ifndef DAEMON_HTTP_HOST_H
#define DAEMON_HTTP_HOST_H

#include <stdbool.h>

/*
 * Whether the header's value is localhost, 127.x.x.x or [::1], with or without a port. NULL (no
 * such header) and everything else are not: a browser always sends the name that its page was
 * loaded from, and no page is loaded from these but the machine's own.
 */
bool http_host_is_local(const char *host);

#endif
