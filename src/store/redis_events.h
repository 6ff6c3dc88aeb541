/*
 * A connection to Redis in the event loop: what hiredis' own adapter does, which follows a null pointer
 * where there is no memory.
 */
#ifndef STORE_REDIS_EVENTS_H
#define STORE_REDIS_EVENTS_H

#include <event2/event.h>
#include <hiredis/async.h>

/*
 * From now on the loop reads and writes for the connection, until that is freed. Where the loop refuses
 * an event later on, the connection stays silent, which is what its user must look out for in any case.
 * Returns 0, or -1 where there is no memory.
 */
int redis_events_attach(redisAsyncContext *context, struct event_base *loop)
    __attribute__((warn_unused_result));

#endif
