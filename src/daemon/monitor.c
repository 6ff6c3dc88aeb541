#include "daemon/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "daemon/exposition.h"
#include "daemon/http_server.h"
#include "daemon/http_socket.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/readiness.h"
#include "daemon/shortage.h"

enum { CLIENTS_MAX = 32, REQUEST_SECONDS = 5 };

struct monitor {
    struct server *server;
    struct socket_file file;
    struct http_server *http;
};

static const char text[] = "text/plain; charset=utf-8";

/* That it is answered says all: the loop turns. */
static void answer_health(struct evhttp_request *request, void *context)
{
    (void)context;
    http_answer(request, HTTP_OK, text, "ok\n");
}

/* Whether a fresh token could be judged now: 200, or 503 and why not. */
static void answer_readiness(struct evhttp_request *request, void *context)
{
    const struct monitor *monitor = context;
    char answer[READINESS_TEXT_SIZE];
    enum readiness readiness = readiness_of(monitor->server, answer);

    http_answer(request, readiness == READY ? HTTP_OK : HTTP_SERVUNAVAIL, text, answer);
}

/* --- metrics, a portion when the one before was written */

struct scrape {
    struct monitor *monitor;
    struct evhttp_request *request;
    struct http_hold *hold;
    struct metrics_place place;
    uint64_t reloads; /* a reload moves the hosts that the place counts */
    struct evbuffer *portion;
};

static void free_scrape(struct scrape *scrape)
{
    if (scrape->portion != NULL)
        evbuffer_free(scrape->portion);
    free(scrape);
}

static void on_client_gone(void *scrape)
{
    free_scrape(scrape);
}

static void send_portion(struct evhttp_connection *connection, void *context)
{
    struct scrape *scrape = context;
    struct server *server = scrape->monitor->server;
    bool goes_on;

    if (scrape->reloads != server->reloads) {
        /* Half of the old hosts and half of the new: no answer at all is better. */
        http_server_cut_off(connection);
        return;
    }
    goes_on = metrics_write(server, &scrape->place, scrape->portion);
    http_server_give_time(scrape->monitor->http, connection);
    if (goes_on) {
        evhttp_send_reply_chunk_with_cb(scrape->request, scrape->portion, send_portion, scrape);
        return;
    }
    evhttp_send_reply_chunk(scrape->request, scrape->portion);
    evhttp_send_reply_end(http_hold_end(&scrape->hold));
    free_scrape(scrape);
}

static void answer_metrics(struct evhttp_request *request, void *context)
{
    struct monitor *monitor = context;
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    struct scrape *scrape;

    if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
        http_answer(request, HTTP_OK, EXPOSITION_TYPE, "");
        return;
    }
    scrape = calloc(1, sizeof(*scrape));
    if (scrape != NULL && (scrape->portion = evbuffer_new()) != NULL)
        scrape->hold = http_hold(monitor->http, request, on_client_gone, scrape);
    if (scrape == NULL || scrape->hold == NULL) {
        if (scrape != NULL)
            free_scrape(scrape);
        shortage_note();
        http_answer(request, HTTP_SERVUNAVAIL, text, "memory is short\n");
        return;
    }
    scrape->monitor = monitor;
    scrape->request = request;
    scrape->reloads = monitor->server->reloads;
    http_answer_headers(request, EXPOSITION_TYPE);
    evhttp_send_reply_start(request, HTTP_OK, NULL);
    send_portion(connection, scrape);
}

static const struct http_page pages[] = {
    {"/metrics", answer_metrics},
    {"/healthz", answer_health},
    {"/readyz", answer_readiness},
};

static struct http_server *serve(struct monitor *monitor)
{
    const struct http_rules rules = {
        .pages = pages,
        .page_count = sizeof(pages) / sizeof(pages[0]),
        .context = monitor,
        .methods = EVHTTP_REQ_GET | EVHTTP_REQ_HEAD,
        .clients_max = CLIENTS_MAX,
        .seconds = REQUEST_SECONDS,
        .is_network = monitor->file.is_network,
    };

    return http_server_create(monitor->server->loop, monitor->file.descriptor, &rules);
}

int monitor_open(struct server *server)
{
    const struct http_listener *listener = &server->config->http;
    struct monitor *monitor;

    if (listener->address.host == NULL && listener->address.path == NULL)
        return 0;
    monitor = calloc(1, sizeof(*monitor));
    if (monitor != NULL &&
        http_socket_get(&monitor->file, &server->activation, ACTIVATION_NAME_HTTP, listener) != 0) {
        free(monitor);
        return -1;
    }
    if (monitor != NULL) {
        monitor->server = server;
        monitor->http = serve(monitor);
        if (monitor->http != NULL) {
            server->monitor = monitor;
            return 0;
        }
        socket_file_unlink(&monitor->file);
        close(monitor->file.descriptor);
        free(monitor);
    }
    log_event_text(LOG_LEVEL_ERROR, "listen-failed", "why", "memory is short");
    return -1;
}

void monitor_close(struct server *server)
{
    struct monitor *monitor = server->monitor;

    if (monitor == NULL)
        return;
    socket_file_unlink(&monitor->file);
    http_server_destroy(&monitor->http);
    free(monitor);
    server->monitor = NULL;
}
