#include "daemon/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/timestamp.h"
#include "daemon/server.h"

static const int64_t MICROSECONDS = 1000000;

static void on_watchdog(evutil_socket_t descriptor, short events, void *context)
{
    struct service *service = context;

    (void)descriptor;
    (void)events;
    service->is_due = true;
}

int service_begin(struct server *server)
{
    struct service *service = &server->service;
    /* As sd_watchdog_enabled(3) advises: one that comes late is made good by the next. */
    int64_t interval = notify_watchdog_us() / 2;
    struct timeval timeout = {.tv_sec = (time_t)(interval / MICROSECONDS),
                              .tv_usec = (suseconds_t)(interval % MICROSECONDS)};

    notify_open(&service->notify);
    if (interval == 0 || service->notify.descriptor < 0)
        return 0;
    service->watchdog = event_new(server->loop, -1, EV_PERSIST, on_watchdog, service);
    return service->watchdog == NULL ? -1 : event_add(service->watchdog, &timeout);
}

static uint64_t denials(const struct authority *authority)
{
    uint64_t count = 0;

    for (size_t reason = 0; reason < REASON_COUNT; reason++)
        count += reason == REASON_ALLOWED ? 0 : authority->tally.all.auth[reason];
    return count;
}

/* What is amiss now, for the end of the line. */
static void add_troubles(struct server *server, char *text, size_t size)
{
    int64_t opens = authority_opens(&server->authority, server_now(server));
    char opens_text[TIMESTAMP_SIZE];
    size_t used = 0;

    text[0] = '\0';
    if (opens != 0)
        used += (size_t)snprintf(text, size, "; tokens minted before %s are refused",
                                 timestamp_format(opens, opens_text));
    if (server->authority.store->failure != NULL)
        used += (size_t)snprintf(text + used, size - used, "; the store of spent tokens fails");
    if (server->reload_failed)
        snprintf(text + used, size - used, "; the last reload failed");
}

static void make_status(struct server *server, char text_r[STATUS_SIZE])
{
    char troubles[192];

    add_troubles(server, troubles, sizeof(troubles));
    snprintf(text_r, STATUS_SIZE,
             "STATUS=%s%" PRIu64 " clients, %" PRIu64 " logins, %" PRIu64 " denials%s",
             server->draining ? "draining: " : "", server->connection_count,
             server->authority.tally.all.auth[REASON_ALLOWED], denials(&server->authority),
             troubles);
}

/* A state, with the status as it is then. */
static void tell_state(struct server *server, const char *state)
{
    struct service *service = &server->service;
    char message[NOTIFY_MESSAGE_SIZE];

    make_status(server, service->status);
    snprintf(message, sizeof(message), "%s\n%s", state, service->status);
    notify_state(&service->notify, message);
}

void service_ready(struct server *server)
{
    tell_state(server, "READY=1");
}

void service_reloading(struct server *server)
{
    char state[64];
    struct timespec now;

    if (server->draining)
        return;
    /* The manager tells by the time which of its requests this is about. */
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             (int64_t)now.tv_sec * MICROSECONDS + now.tv_nsec / 1000);
    tell_state(server, state);
}

void service_reloaded(struct server *server)
{
    if (!server->draining)
        tell_state(server, "READY=1");
}

void service_stopping(struct server *server)
{
    tell_state(server, "STOPPING=1");
}

void service_tick(struct server *server)
{
    struct service *service = &server->service;
    char status[STATUS_SIZE];

    if (service->notify.descriptor < 0)
        return;
    notify_retry(&service->notify);
    make_status(server, status);
    if (strcmp(status, service->status) != 0 && notify_passing(&service->notify, status))
        memcpy(service->status, status, sizeof(status));
}

void service_end_turn(struct server *server)
{
    struct service *service = &server->service;

    if (!service->is_due)
        return;
    service->is_due = false;
    notify_passing(&service->notify, "WATCHDOG=1");
}

void service_end(struct server *server)
{
    struct service *service = &server->service;

    if (service->watchdog != NULL)
        event_free(service->watchdog);
    service->watchdog = NULL;
    notify_close(&service->notify);
}
