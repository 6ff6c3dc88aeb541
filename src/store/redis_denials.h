/*
 * Denials shared through Redis: a hash holds one entry for each user whom an operator anywhere has
 * denied or allowed, and a counter its revision. Each daemon keeps all of it in its own accounts
 * and looks at the counter a few times a second. An entry that is missing in Redis takes nothing
 * back: it is put there again.
 */
#ifndef STORE_REDIS_DENIALS_H
#define STORE_REDIS_DENIALS_H

#include <stdint.h>

#include <hiredis/async.h>

#include "store/accounts.h"

struct redis_denials {
    struct accounts *accounts; /* borrowed */
    int64_t asked_boot_ms;     /* when last */
    int in_flight;             /* replies that are not there yet */
    int64_t revision;          /* the one that was merged; -1: none */
    int64_t revision_asked;    /* the one that is being fetched */
    const char *failure;       /* of this connection, in static words: what was denied elsewhere is
                                  not known; NULL: none */
    uint64_t merged;           /* entries that changed something here, so far */
};

/* Begins to share, with no connection yet. */
void redis_denials_init(struct redis_denials *denials, struct accounts *accounts);

/*
 * On a new connection: asks for all of it. By the time of the reply to what is sent next on the
 * connection it is merged, or failure says why not. Returns 0, or -1 where the connection is lost.
 */
__attribute__((warn_unused_result)) int redis_denials_begin(struct redis_denials *denials,
                                                            redisAsyncContext *context);

/* What is due several times a second, on a connection that began: tells Redis what was said here,
 * looks whether there is more there, and fetches that. now_boot_ms: of the boot-time clock. */
void redis_denials_poll(struct redis_denials *denials, redisAsyncContext *context,
                        int64_t now_boot_ms);

#endif
