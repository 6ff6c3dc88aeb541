/* The control socket's commands: one table of them, each with the words it takes. */
#ifndef DAEMON_CONTROL_COMMANDS_H
#define DAEMON_CONTROL_COMMANDS_H

#include <event2/buffer.h>

#include "daemon/server.h"
#include "daemon/users.h"

/*
 * Answers a request line of length bytes, any bytes, without its end: in output, whole; or, where
 * the answer is a list, with the list that is to be continued (users_listing_continue) and
 * released, in *listing_r.
 */
void control_command_answer(struct server *server, const char *request, size_t length,
                            struct evbuffer *output, struct users_listing **listing_r);

#endif
