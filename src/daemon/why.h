/* What `why` answers on the control socket. */
#ifndef DAEMON_WHY_H
#define DAEMON_WHY_H

#include <event2/buffer.h>

#include "daemon/users.h"

/*
 * why JID: a line what=user, which tells how things stand for the user now (section, denied, opens,
 * clock_offset_s of the section's minters where it is confirmed), then a line what=verdict for each
 * record of the flight recorder, the latest first.
 */
void why_write(struct server *server, const struct control_word *words, size_t count,
               struct evbuffer *output);

#endif
