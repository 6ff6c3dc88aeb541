/*
 * What is said on a connection: bytes in, questions to the authority, answers out in the order of
 * the questions. It knows nothing of sockets.
 */
#ifndef DAEMON_DIALOGUE_H
#define DAEMON_DIALOGUE_H

#include "daemon/answers.h"
#include "daemon/bytes.h"
#include "daemon/server.h"

struct dialogue {
    struct server *server;
    struct bytes
        input; /* bytes taken and not yet used up: part of a question, or more while it is full */
    struct answers answers;
    uint64_t number;   /* of the connection */
    uint32_t listener; /* its place among the configuration's */
    bool has_asked;
    bool progressed; /* since the caller set it to false: a question was complete */
};

enum dialogue_state {
    DIALOGUE_OPEN,  /* more may be taken */
    DIALOGUE_FULL,  /* too many answers wait to be read; call again when there are fewer */
    DIALOGUE_OVER,  /* no more questions are taken; answers are still to be written */
    DIALOGUE_FAILED /* memory is short: nothing that is left can be trusted */
};

/* Begins one that came through a listener; on_filled as in answers_init(). */
void dialogue_init(struct dialogue *dialogue, struct server *server, size_t listener,
                   void (*on_filled)(struct answers *answers));

/* Withdraws what is still to be answered, wipes and frees. */
void dialogue_clear(struct dialogue *dialogue);

/* Takes size bytes of the peer's, and asks all that is whole; never after DIALOGUE_OVER or
 * DIALOGUE_FAILED. *why_r is set for these two. */
enum dialogue_state dialogue_take(struct dialogue *dialogue, const uint8_t *data, size_t size,
                                  const char **why_r);

/* Whether the peer leaves too many answers unread to be asked for more. */
bool dialogue_is_full(const struct dialogue *dialogue);

#endif
