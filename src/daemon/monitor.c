#include "daemon/monitor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/timestamp.h"
#include "daemon/http_server.h"
#include "daemon/http_socket.h"
#include "daemon/log.h"

enum { CLIENTS_MAX = 32, REQUEST_SECONDS = 5, ANSWER_SIZE = 256 };

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
    struct server *server = ((struct monitor *)context)->server;
    int64_t opens = authority_opens(&server->authority, server_now(server));
    const char *failure = server->authority.store->failure;
    char time[TIMESTAMP_SIZE];
    char answer[ANSWER_SIZE];

    if (server->draining) {
        http_answer(request, HTTP_SERVUNAVAIL, text, "draining: the daemon was told to stop\n");
    } else if (failure != NULL) {
        snprintf(answer, sizeof(answer), "store-error: %s\n", failure);
        http_answer(request, HTTP_SERVUNAVAIL, text, answer);
    } else if (opens != 0) {
        snprintf(answer, sizeof(answer), "starting: tokens minted before %s are refused\n",
                 timestamp_format(opens, time));
        http_answer(request, HTTP_SERVUNAVAIL, text, answer);
    } else {
        http_answer(request, HTTP_OK, text, "ready\n");
    }
}

static const struct http_page pages[] = {
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
        .is_network = monitor->file.path[0] == '\0',
    };

    return http_server_create(monitor->server->loop, monitor->file.descriptor, &rules);
}

int monitor_open(struct server *server)
{
    const struct http_listener *listener = &server->config->http;
    char error[SOCKET_ERROR_SIZE] = "memory is short";
    struct monitor *monitor;

    if (listener->address.host == NULL && listener->address.path == NULL)
        return 0;
    monitor = calloc(1, sizeof(*monitor));
    if (monitor != NULL && http_socket_open(&monitor->file, listener, error) == 0) {
        monitor->server = server;
        monitor->http = serve(monitor);
        if (monitor->http != NULL) {
            server->monitor = monitor;
            return 0;
        }
        socket_file_unlink(&monitor->file);
        close(monitor->file.descriptor);
        snprintf(error, sizeof(error), "memory is short");
    }
    free(monitor);
    log_event_text(LOG_LEVEL_ERROR, "listen-failed", "why", error);
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
