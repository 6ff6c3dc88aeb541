/* The daemon's state: one event loop, its listeners, its clients, and the authority that they ask.
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "config/config.h"
#include "daemon/activation.h"
#include "daemon/answers.h"
#include "daemon/authority.h"
#include "daemon/event_limit.h"
#include "daemon/service.h"
#include "store/redis_store.h"
#include "store/state_directory.h"

struct connection;
struct server_listener;
struct control;
struct monitor;
struct http_doors;
struct reload;

TAILQ_HEAD(connection_list, connection);
TAILQ_HEAD(waiting_list, connection);
STAILQ_HEAD(turn_list, connection);

struct server {
    struct config *config; /* owned; replaced by a reload */
    struct event_base *loop;
    struct authority authority;
    struct moment started;
    struct state_directory state;
    struct accounts *accounts;
    struct redis_address redis; /* of the store, if it is one; stays whatever is reloaded */
    struct arena redis_memory;
    struct secret redis_password;

    struct service service;
    struct activation activation; /* sockets that were handed over and not yet taken */
    struct server_listener *listeners;
    size_t listener_count;
    struct event
        *resume_accept; /* fires when accepting is tried again after running out of descriptors */
    struct control *control;
    struct http_doors *http_doors; /* NULL: no listener speaks HTTP */
    struct monitor *monitor;       /* NULL: no [http] */
    struct event *signals[3];
    struct event *tick;
    struct event *drain_deadline;
    struct reload *reload;
    uint64_t reloads;
    uint64_t failed_reloads;
    bool reload_failed; /* the last one */

    struct connection_list connections;
    struct waiting_list waiting; /* those with something unfinished, the longest waiting first */
    struct place_pool places;
    struct turn_list turn; /* those that did something in this turn */
    size_t turn_read_size; /* bytes that were read in this turn */
    uint64_t connection_count;
    uint64_t accepted;
    bool accept_is_paused;
    bool pause_is_logged;
    uint64_t refused_in_a_row;
    struct event_limits event_limits;
    uint64_t refused; /* over max_connections, or not among allow_users and allow_groups */

    struct moment now; /* of this turn; read at its first question */
    bool now_is_read;
    bool draining;
    bool stopped; /* the loop is to end */
};

/*
 * A server with the given configuration, which it owns from here on: listening, not yet running.
 * NULL after logging what failed. Released with server_destroy().
 */
struct server *server_create(struct config *config);

/* Runs until it is told to stop by SIGTERM or SIGINT and has answered what it received,
 * drain_timeout at the most. Returns 0, or -1 where the event loop fails. */
__attribute__((warn_unused_result)) int server_run(struct server *server);

/* One turn of the loop (docs/design.md): wait until something happens first, or take only what has
 * happened. 0, or -1 where the event loop fails. */
__attribute__((warn_unused_result)) int server_turn(struct server *server, bool wait);

/* Closes and frees everything and sets *server to NULL; NULL is allowed. */
void server_destroy(struct server **server);

/* The moment of this turn of the loop: one reading of the clocks for all that is judged in it. */
struct moment server_now(struct server *server);

#endif
