#include "daemon/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/connection.h"
#include "daemon/log.h"

/* Clients accepted on one listener in one turn of the loop. */
enum { ACCEPTS_A_TURN = 64 };

struct server_listener {
    struct server *server;
    struct socket_file file;
    struct event acceptable;
    size_t index; /* of its configuration; a reload changes neither number nor order */
};

static const struct listener *configuration_of(const struct server_listener *listener)
{
    return &listener->server->config->listeners[listener->index];
}

static bool is_logged(struct server *server, enum limited_event event)
{
    return event_limit_allows(&server->event_limits, event, server_now(server));
}

static void refuse(struct server *server, int descriptor, const char *why)
{
    close(descriptor);
    /* The first of a row alone: a client that keeps trying must not fill the log. Nor must one whose
     * tries others' take turns with. */
    if (server->refused_in_a_row++ == 0 && is_logged(server, LIMITED_REFUSED))
        log_event_text(LOG_LEVEL_WARNING, "connection-refused", "why", why);
    server->refused++;
}

static void welcome(struct server_listener *listener, int descriptor)
{
    struct server *server = listener->server;
    const struct listener *configuration = configuration_of(listener);

    server->accepted++;
    if (server->connection_count >= (uint64_t)server->config->server->max_connections)
        refuse(server, descriptor, "max_connections is reached");
    else if (!peer_is_allowed(descriptor, &configuration->peers))
        refuse(server, descriptor, "the peer is not among allow_users and allow_groups");
    else if (connection_open(server, descriptor, listener->index) == 0)
        server->refused_in_a_row = 0;
    else if (is_logged(server, LIMITED_FAILED))
        log_event_text(LOG_LEVEL_ERROR, "connection-failed", "why", "memory is short");
}

static void listener_close(struct server_listener *listener)
{
    if (listener->file.descriptor < 0)
        return;
    event_del(&listener->acceptable);
    close(listener->file.descriptor);
    listener->file.descriptor = -1;
}

static const struct timeval resume_delay = {.tv_usec = RESUME_MICROSECONDS};

static void resume_accepting(evutil_socket_t descriptor, short events, void *context)
{
    struct server *server = context;
    bool failed = false;

    (void)descriptor;
    (void)events;
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].file.descriptor >= 0 &&
            event_add(&server->listeners[i].acceptable, NULL) != 0)
            failed = true;
    }
    if (failed)
        evtimer_add(server->resume_accept, &resume_delay);
}

/* Without a descriptor to give, the loop would spin on a listener that stays readable. */
static void pause_accepting(struct server *server, int error)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].file.descriptor >= 0)
            event_del(&server->listeners[i].acceptable);
    }
    evtimer_add(server->resume_accept, &resume_delay);
    if (!server->accept_is_paused)
        server->pause_is_logged = is_logged(server, LIMITED_PAUSED);
    if (!server->accept_is_paused && server->pause_is_logged)
        log_event_text(LOG_LEVEL_WARNING, "accept-paused", "why", strerror(error));
    server->accept_is_paused = true;
}

bool accept_lacks_resources(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void on_accept_error(struct server_listener *listener, int error)
{
    struct server *server = listener->server;

    if (accept_lacks_resources(error)) {
        pause_accepting(server, error);
        return;
    }
    /* When draining, the backlog is empty now: nobody was left behind. */
    if (server->draining && (error == EAGAIN || error == EINVAL)) {
        listener_close(listener);
        return;
    }
    if (error == EAGAIN || error == ECONNABORTED || error == EINTR)
        return;
    if (!server->accept_is_paused && is_logged(server, LIMITED_ACCEPT_FAILED))
        log_event_text(LOG_LEVEL_ERROR, "accept-failed", "why", strerror(error));
    pause_accepting(server, error);
}

static void on_acceptable(evutil_socket_t descriptor, short events, void *context)
{
    struct server_listener *listener = context;

    (void)events;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        int client = accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client < 0) {
            on_accept_error(listener, errno);
            return;
        }
        if (listener->server->accept_is_paused) {
            listener->server->accept_is_paused = false;
            if (listener->server->pause_is_logged)
                log_event(LOG_LEVEL_INFO, "accept-resumed");
        }
        welcome(listener, client);
    }
}

static int listener_open(struct server_listener *listener)
{
    const struct listener *configuration = configuration_of(listener);
    const char *name =
        configuration->name[0] == '\0' ? ACTIVATION_NAME_SERVER : configuration->name;
    const struct socket_rule rule = {.name = name,
                                     .path = configuration->path,
                                     .mode = configuration->mode,
                                     .group = configuration->group};

    if (socket_file_get(&listener->file, &listener->server->activation, &rule) != 0)
        return -1;
    event_assign(&listener->acceptable, listener->server->loop, listener->file.descriptor,
                 EV_READ | EV_PERSIST, on_acceptable, listener);
    if (event_add(&listener->acceptable, NULL) == 0)
        return 0;
    log_event_text(LOG_LEVEL_ERROR, "listen-failed", "why",
                   "the event loop does not take the socket");
    return -1;
}

int listeners_open(struct server *server)
{
    size_t count = server->config->listener_count;

    server->resume_accept = evtimer_new(server->loop, resume_accepting, server);
    server->listeners = calloc(count, sizeof(*server->listeners));
    if (server->resume_accept == NULL || server->listeners == NULL) {
        log_event_text(LOG_LEVEL_ERROR, "listen-failed", "why", "memory is short");
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        server->listeners[i] =
            (struct server_listener){.server = server, .file.descriptor = -1, .index = i};
        server->listener_count = i + 1;
        if (listener_open(&server->listeners[i]) != 0)
            return -1;
    }
    return 0;
}

void listeners_drain(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        struct server_listener *listener = &server->listeners[i];

        if (listener->file.descriptor < 0)
            continue;
        if (listener->file.is_activated) {
            /* Who is in the backlog waits for the next daemon. */
            listener_close(listener);
            continue;
        }
        socket_file_unlink(&listener->file);
        /* From here on connecting fails, and who connected before is still in the backlog: nobody
         * comes between the last accept() and the close(). */
        shutdown(listener->file.descriptor, SHUT_RD);
        event_active(&listener->acceptable, EV_READ, 0);
    }
}

bool listeners_are_open(const struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].file.descriptor >= 0)
            return true;
    }
    return false;
}

void listeners_close(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i].file.descriptor >= 0)
            socket_file_unlink(&server->listeners[i].file);
        listener_close(&server->listeners[i]);
    }
    free(server->listeners);
    server->listeners = NULL;
    server->listener_count = 0;
    if (server->resume_accept != NULL)
        event_free(server->resume_accept);
    server->resume_accept = NULL;
}
