/*
 * The listeners that speak HTTP to chat servers: a question a request, judged as any other. An
 * answer that is not known at once is sent when it is.
 */
#ifndef DAEMON_HTTP_DOOR_H
#define DAEMON_HTTP_DOOR_H

#include "daemon/server.h"

/* Opens those of the configuration. 0, or -1 after logging what failed (http_doors_close() closes
 * what was opened). */
__attribute__((warn_unused_result)) int http_doors_open(struct server *server);

/* Takes no new clients; what they have sent by now is still answered. */
void http_doors_drain(struct server *server);

/* After http_doors_drain(): whether all that was received is answered and written. */
bool http_doors_are_done(const struct server *server);

/* Withdraws what is still to be answered, and closes the listeners and their clients. */
void http_doors_close(struct server *server);

#endif
