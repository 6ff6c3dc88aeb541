#include "store/redis_events.h"

#include <stdlib.h>

#include <event2/event_struct.h>

struct redis_events {
    redisAsyncContext *context;
    struct event readable, writable;
};

static void on_readable(evutil_socket_t descriptor, short what, void *user)
{
    const struct redis_events *events = user;

    (void)descriptor;
    (void)what;
    redisAsyncHandleRead(events->context);
}

static void on_writable(evutil_socket_t descriptor, short what, void *user)
{
    const struct redis_events *events = user;

    (void)descriptor;
    (void)what;
    redisAsyncHandleWrite(events->context);
}

/* --- called by hiredis, as often as it likes */

static void add_read(void *user)
{
    event_add(&((struct redis_events *)user)->readable, NULL);
}

static void delete_read(void *user)
{
    event_del(&((struct redis_events *)user)->readable);
}

static void add_write(void *user)
{
    event_add(&((struct redis_events *)user)->writable, NULL);
}

static void delete_write(void *user)
{
    event_del(&((struct redis_events *)user)->writable);
}

/* In one of the callbacks too: neither looks at the events afterwards. */
static void clean_up(void *user)
{
    delete_read(user);
    delete_write(user);
    free(user);
}

int redis_events_attach(redisAsyncContext *context, struct event_base *loop)
{
    struct redis_events *events = calloc(1, sizeof(*events));

    if (events == NULL)
        return -1;
    events->context = context;
    event_assign(&events->readable, loop, context->c.fd, EV_READ | EV_PERSIST, on_readable, events);
    event_assign(&events->writable, loop, context->c.fd, EV_WRITE | EV_PERSIST, on_writable,
                 events);
    context->ev.data = events;
    context->ev.addRead = add_read;
    context->ev.delRead = delete_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = delete_write;
    context->ev.cleanup = clean_up;
    add_read(events);
    add_write(events);
    return 0;
}
