/* A login asked as a chat server asks it, by the way that its configuration names. */
#ifndef DOCTOR_ROUND_TRIP_H
#define DOCTOR_ROUND_TRIP_H

#include "doctor/examination.h"

/* The doctor's own user. No JID can have such a name, so no client ever logs in with it, and the
 * daemon records no such user as seen. */
#define ROUND_TRIP_USER "<xmpp-authctl-doctor>"

enum round_trip_answer { ROUND_TRIP_YES, ROUND_TRIP_NO, ROUND_TRIP_NONE };

/*
 * Asks whether ROUND_TRIP_USER may log in to a route's host with each token in turn, as the
 * server's user where this process is root: through its relay, started as the server starts it, or
 * at the socket. Fills one answer a token; all NONE where nobody could be asked.
 */
void round_trip_ask(const struct route *route, const struct server_user *user,
                    const char *const *tokens, size_t count, enum round_trip_answer *answers_r);

#endif
