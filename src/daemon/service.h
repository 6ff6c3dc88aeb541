/*
 * What the service manager is told: ready once all listeners listen, reloading, stopping, a line of
 * status for people, and a sign of life from the end of the event loop's turns.
 */
#ifndef DAEMON_SERVICE_H
#define DAEMON_SERVICE_H

#include <event2/event.h>

#include "daemon/notify.h"

struct server;

enum { STATUS_SIZE = 400 };

struct service {
    struct notify notify;
    struct event *watchdog;   /* NULL: nobody watches */
    bool is_due;              /* a sign of life, at the end of this turn */
    char status[STATUS_SIZE]; /* as it was told last */
};

/* Looks for a service manager, and sets its watchdog's timer. 0, or -1 where the event loop fails.
 */
__attribute__((warn_unused_result)) int service_begin(struct server *server);

/* All listeners listen. */
void service_ready(struct server *server);

/* A reload begins, and ends either way; a daemon that is stopping does not speak of it. */
void service_reloading(struct server *server);
void service_reloaded(struct server *server);

/* The daemon answers what it received, and ends. */
void service_stopping(struct server *server);

/* Each second: the status, where it changed. */
void service_tick(struct server *server);

/* A turn of the event loop is over: all of it, what was judged, recorded and written. */
void service_end_turn(struct server *server);

/* Nothing is told from here on. */
void service_end(struct server *server);

#endif
