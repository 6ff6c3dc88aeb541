/*
 * A client: its bytes in, questions to the authority, answers out in the order of the questions.
 *
 * A question read in a turn of the event loop is judged at once, and its answer stands in the
 * connection's output; the output of all connections is written when the turn is over. So what a
 * turn's verdicts rest on can be made durable first.
 */
#ifndef DAEMON_CONNECTION_H
#define DAEMON_CONNECTION_H

#include <sys/types.h>

#include "daemon/server.h"

struct connection;

/*
 * A connection on an accepted, non-blocking descriptor, which it owns from here on (also where it
 * fails); listener: the place of the one that accepted it among the configuration's. 0, or -1 where
 * memory or the event loop fails (descriptor closed).
 */
__attribute__((warn_unused_result)) int connection_open(struct server *server, int descriptor,
                                                        size_t listener);

/* Tells every connection that nothing more is read from it than it has sent by now: all of that is
 * answered, then it ends. */
void connections_drain(struct server *server);

/* Ends the turn: writes what was answered in it, then releases the connections that ended. */
void connections_finish_turn(struct server *server);

/* Ends the connections whose unfinished question or unread answers have waited too long; gives idle
 * memory back. */
void connections_expire(struct server *server, struct moment now);

/* Bytes of unfinished questions and of answers that were not read yet, of all connections. */
size_t connections_pending_bytes(const struct server *server);

/* Ends and releases all connections at once. */
void connections_close_all(struct server *server);

#endif
