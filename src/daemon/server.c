#include "daemon/server.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "daemon/connection.h"
#include "daemon/control.h"
#include "daemon/http_door.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/loop_memory.h"
#include "daemon/monitor.h"
#include "daemon/reload.h"
#include "daemon/shortage.h"
#include "daemon/store.h"

struct moment server_now(struct server *server)
{
    if (!server->now_is_read) {
        server->now = moment_now();
        server->now_is_read = true;
    }
    return server->now;
}

static void on_drain_deadline(evutil_socket_t descriptor, short events, void *context)
{
    struct server *server = context;
    struct log_line line;

    (void)descriptor;
    (void)events;
    log_begin(&line, LOG_LEVEL_WARNING, "drain-timeout");
    logfmt_number(&line.fields, "connections", (int64_t)server->connection_count);
    log_end(&line, LOG_LEVEL_WARNING);
    server->stopped = true;
}

static void begin_drain(struct server *server)
{
    int64_t timeout_ms = server->config->server->drain_timeout_ms;
    /* A little less than promised: exiting takes time too. */
    struct timeval timeout = {.tv_sec = (timeout_ms - 200) / 1000,
                              .tv_usec = (timeout_ms - 200) % 1000 * 1000};

    log_event(LOG_LEVEL_INFO, "draining");
    server->draining = true;
    service_stopping(server);
    state_directory_announce_stop(&server->state);
    listeners_drain(server);
    connections_drain(server);
    http_doors_drain(server);
    evtimer_add(server->drain_deadline, &timeout);
}

static void on_stop_signal(evutil_socket_t number, short events, void *context)
{
    struct server *server = context;

    (void)number;
    (void)events;
    if (!server->draining) {
        begin_drain(server);
        return;
    }
    log_event(LOG_LEVEL_WARNING, "stopped-at-once");
    server->stopped = true;
}

static void on_reload_signal(evutil_socket_t number, short events, void *context)
{
    (void)number;
    (void)events;
    server_reload(context);
}

static void on_tick(evutil_socket_t descriptor, short events, void *context)
{
    struct server *server = context;
    struct moment now = server_now(server);

    (void)descriptor;
    (void)events;
    if (server->config->replay->store.kind == STORE_JOURNAL)
        spent_store_suspend(server->authority.store, server_state_lost(server));
    authority_tick(&server->authority, now);
    connections_expire(server, now);
    control_expire(server, now);
    event_limit_flush(&server->event_limits, now);
    service_tick(server);
}

static int add_signal(struct server *server, size_t place, int number, event_callback_fn callback)
{
    server->signals[place] = evsignal_new(server->loop, number, callback, server);
    return server->signals[place] == NULL ? -1 : event_add(server->signals[place], NULL);
}

/* libevent's own words would stand on standard error as they are. */
static void on_library_message(int severity, const char *message)
{
    log_event_text(severity == EVENT_LOG_ERR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "libevent",
                   "why", message);
}

static int add_events(struct server *server)
{
    static const struct timeval second = {.tv_sec = 1};

    signal(SIGPIPE, SIG_IGN);
    /* A file at its limit is a write that fails, not an end. */
    signal(SIGXFSZ, SIG_IGN);
    server->tick = event_new(server->loop, -1, EV_PERSIST, on_tick, server);
    server->drain_deadline = evtimer_new(server->loop, on_drain_deadline, server);
    if (server->tick == NULL || server->drain_deadline == NULL ||
        event_add(server->tick, &second) != 0 ||
        add_signal(server, 0, SIGTERM, on_stop_signal) != 0 ||
        add_signal(server, 1, SIGINT, on_stop_signal) != 0 ||
        add_signal(server, 2, SIGHUP, on_reload_signal) != 0) {
        log_event_text(LOG_LEVEL_ERROR, "start-failed", "why", "the event loop can't be set up");
        return -1;
    }
    return 0;
}

static void log_ready(struct server *server)
{
    char opens_text[TIMESTAMP_SIZE];
    int64_t opens = authority_opens(&server->authority, server->started);
    struct log_line line;

    log_begin(&line, LOG_LEVEL_INFO, "ready");
    logfmt_text(&line.fields, "version", XMPP_AUTHD_VERSION);
    logfmt_number(&line.fields, "pid", getpid());
    logfmt_number(&line.fields, "hosts", (int64_t)server->config->host_count);
    logfmt_number(&line.fields, "listeners", (int64_t)server->listener_count);
    logfmt_text(&line.fields, "socket", server->config->listeners[0].path);
    if (opens != 0)
        logfmt_text(&line.fields, "refuses_tokens_minted_before",
                    timestamp_format(opens, opens_text));
    log_end(&line, LOG_LEVEL_INFO);
}

/* The last part of a start: from here on connecting succeeds. */
static int open_to_all(struct server *server)
{
    activation_receive(&server->activation);
    if (service_begin(server) != 0 || listeners_open(server) != 0 || control_open(server) != 0 ||
        http_doors_open(server) != 0 || monitor_open(server) != 0)
        return -1;
    activation_close_unasked(&server->activation);
    return 0;
}

struct server *server_create(struct config *config)
{
    struct server *server = calloc(1, sizeof(*server));

    if (server == NULL) {
        config_destroy(&config);
        log_event_text(LOG_LEVEL_ERROR, "start-failed", "why", "memory is short");
        return NULL;
    }
    server->config = config;
    server->started = moment_now();
    server->state = (struct state_directory){.directory = -1, .lock = -1};
    server->service.notify.descriptor = -1;
    TAILQ_INIT(&server->connections);
    TAILQ_INIT(&server->waiting);
    STAILQ_INIT(&server->turn);
    place_pool_init(&server->places);
    loop_memory_init();
    event_set_log_callback(on_library_message);
    server->loop = event_base_new();
    if (server->loop == NULL)
        log_event_text(LOG_LEVEL_ERROR, "start-failed", "why", "the event loop can't be set up");
    if (server_open_state(server) != 0) {
        server_destroy(&server);
        return NULL;
    }
    if (authority_init(&server->authority, config, server_open_store(server), server->accounts) !=
        0)
        log_event_text(LOG_LEVEL_ERROR, "start-failed", "why", "memory is short");
    if (server->loop == NULL || server->authority.config == NULL ||
        server->authority.store == NULL || add_events(server) != 0 || reload_open(server) != 0 ||
        open_to_all(server) != 0) {
        server_destroy(&server);
        return NULL;
    }
    log_ready(server);
    service_ready(server);
    return server;
}

int server_turn(struct server *server, bool wait)
{
    int result;

    server->now_is_read = false;
    result = event_base_loop(server->loop, wait ? EVLOOP_ONCE : EVLOOP_NONBLOCK);
    authority_commit(&server->authority, server_now(server));
    connections_finish_turn(server);
    shortage_tell(&server->event_limits, server_now(server));
    service_end_turn(server);
    if (server->draining && server->connection_count == 0 && !listeners_are_open(server) &&
        http_doors_are_done(server))
        server->stopped = true;
    return result < 0 ? -1 : 0;
}

int server_run(struct server *server)
{
    int result = 0;

    while (result == 0 && !server->stopped)
        result = server_turn(server, true);
    log_event(result == 0 ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
              result == 0 ? "stopped" : "event-loop-failed");
    return result;
}

static void free_event(struct event **event)
{
    if (*event != NULL)
        event_free(*event);
    *event = NULL;
}

void server_destroy(struct server **server)
{
    struct server *gone = *server;

    if (gone == NULL)
        return;
    connections_close_all(gone);
    listeners_close(gone);
    control_close(gone);
    http_doors_close(gone);
    monitor_close(gone);
    activation_clear(&gone->activation);
    service_end(gone);
    for (size_t i = 0; i < sizeof(gone->signals) / sizeof(gone->signals[0]); i++)
        free_event(&gone->signals[i]);
    free_event(&gone->tick);
    free_event(&gone->drain_deadline);
    reload_close(gone); /* its thread reads the authority's rows and the configuration */
    authority_deinit(&gone->authority);
    accounts_close(&gone->accounts);
    state_directory_close(&gone->state);
    arena_clear(&gone->redis_memory);
    secret_clear(&gone->redis_password);
    place_pool_deinit(&gone->places);
    config_destroy(&gone->config);
    if (gone->loop != NULL)
        event_base_free(gone->loop);
    free(gone);
    *server = NULL;
}
