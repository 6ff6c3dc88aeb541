/* The keys, for the operator: which are loaded, and how they are used. Never the secrets. */
#ifndef DAEMON_KEYS_H
#define DAEMON_KEYS_H

#include <event2/buffer.h>

#include "daemon/server.h"
#include "daemon/users.h"

/*
 * Writes a line for each key (what=key): host, key (empty for the section's own), fingerprint,
 * accept_from, accept_until (where there are such), uses, since, last_use, last_genuine (both where
 * there was one). operands: none, or a section's domain; for one that is not there an error line.
 */
void keys_write(struct server *server, const struct control_word *operands, size_t count,
                struct evbuffer *output);

#endif
