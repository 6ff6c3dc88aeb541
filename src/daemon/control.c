#include "daemon/control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>

#include "daemon/control_commands.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/shortage.h"

enum { CLIENTS_MAX = 16, REQUEST_LINE_MAX = 8191, CLIENT_SECONDS = 5 };

/* A list is continued when no more than this waits to be read. */
enum { UNREAD_MAX = 16384 };

static const struct timeval resume_delay = {.tv_usec = RESUME_MICROSECONDS};

struct control_client {
    struct control *control;
    struct bufferevent *stream;
    bool answered;
    int64_t moved_ms;              /* by the boot clock: of the last that was read or written */
    struct users_listing *listing; /* what is still to be written; NULL: nothing */
};

struct control {
    struct server *server;
    struct socket_file file;
    struct event acceptable;
    struct event resume; /* tries again after running out of descriptors */
    struct control_client clients[CLIENTS_MAX];
};

static void end_client(struct control_client *client)
{
    bufferevent_free(client->stream);
    users_listing_end(&client->listing);
    *client = (struct control_client){0};
}

static void continue_listing(struct control_client *client)
{
    struct evbuffer *output = bufferevent_get_output(client->stream);

    /* A portion may be empty, and what is not written is not followed by anything. */
    do {
        if (!users_listing_continue(client->listing, output))
            users_listing_end(&client->listing);
    } while (client->listing != NULL && evbuffer_get_length(output) == 0);
    /* The end of what waits is awaited where nothing follows it. */
    if (client->listing == NULL)
        bufferevent_setwatermark(client->stream, EV_WRITE, 0, 0);
}

static void answer_request(struct control_client *client, const char *request, size_t length)
{
    control_command_answer(client->control->server, request, length,
                           bufferevent_get_output(client->stream), &client->listing);
    client->answered = true;
    if (client->listing != NULL) {
        bufferevent_setwatermark(client->stream, EV_WRITE, UNREAD_MAX, 0);
        continue_listing(client);
    }
}

static void on_request(struct bufferevent *stream, void *context)
{
    struct control_client *client = context;
    struct evbuffer *input = bufferevent_get_input(stream);
    struct server *server = client->control->server;
    char request[REQUEST_LINE_MAX + 2];
    ev_ssize_t size = evbuffer_copyout(input, request, sizeof(request));
    const char *end = size <= 0 ? NULL : memchr(request, '\n', (size_t)size);
    size_t length = end == NULL ? 0 : (size_t)(end - request);

    client->moved_ms = server_now(server).boot_ms;
    if (length > 0 && request[length - 1] == '\r')
        length--;
    if (end == NULL || length > REQUEST_LINE_MAX) {
        if (size == (ev_ssize_t)sizeof(request))
            end_client(client);
        return;
    }
    bufferevent_disable(stream, EV_READ);
    answer_request(client, request, length);
    if (client->listing == NULL && evbuffer_get_length(bufferevent_get_output(stream)) == 0)
        end_client(client);
}

/* What waited has been read, or little of it is left. */
static void on_written(struct bufferevent *stream, void *context)
{
    struct control_client *client = context;

    client->moved_ms = server_now(client->control->server).boot_ms;
    if (client->listing != NULL)
        continue_listing(client);
    if (client->answered && client->listing == NULL &&
        evbuffer_get_length(bufferevent_get_output(stream)) == 0)
        end_client(client);
}

static void on_end(struct bufferevent *stream, short events, void *context)
{
    (void)stream;
    (void)events;
    end_client(context);
}

/* Root and the daemon's own user; the file's mode says so too, but a mode can be changed by
 * mistake. */
static bool is_operator(int descriptor)
{
    uid_t users[] = {0, geteuid()};
    const struct peer_rule rule = {.users = users, .user_count = 2};

    return peer_is_allowed(descriptor, &rule);
}

static struct control_client *free_place(struct control *control)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (control->clients[i].stream == NULL)
            return &control->clients[i];
    }
    return NULL;
}

static void serve(struct control *control, int descriptor)
{
    static const struct timeval timeout = {.tv_sec = CLIENT_SECONDS};
    struct control_client *client = free_place(control);
    struct bufferevent *stream;

    if (client == NULL || !is_operator(descriptor)) {
        if (event_limit_allows(&control->server->event_limits, LIMITED_CONTROL_REFUSED,
                               server_now(control->server)))
            log_event_text(LOG_LEVEL_WARNING, "control-refused", "why",
                           client == NULL ? "too many at a time"
                                          : "neither root nor the daemon's user");
        close(descriptor);
        return;
    }
    stream = bufferevent_socket_new(control->server->loop, descriptor, BEV_OPT_CLOSE_ON_FREE);
    if (stream == NULL) {
        shortage_note();
        close(descriptor);
        return;
    }
    *client = (struct control_client){
        .control = control, .stream = stream, .moved_ms = server_now(control->server).boot_ms};
    bufferevent_setcb(stream, on_request, on_written, on_end, client);
    bufferevent_set_timeouts(stream, &timeout, &timeout);
    bufferevent_setwatermark(stream, EV_READ, 0, REQUEST_LINE_MAX + 2);
    if (bufferevent_enable(stream, EV_READ | EV_WRITE) != 0) {
        shortage_note();
        end_client(client);
    }
}

static void on_acceptable(evutil_socket_t descriptor, short events, void *context)
{
    struct control *control = context;
    int client = accept4(descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (client >= 0) {
        serve(control, client);
    } else if (accept_lacks_resources(errno)) {
        /* The operator waits; the loop must not spin on it. */
        event_del(&control->acceptable);
        evtimer_add(&control->resume, &resume_delay);
    }
}

static void on_resume(evutil_socket_t descriptor, short events, void *context)
{
    struct control *control = context;

    (void)descriptor;
    (void)events;
    if (event_add(&control->acceptable, NULL) != 0)
        evtimer_add(&control->resume, &resume_delay);
}

int control_open(struct server *server)
{
    struct control *control = calloc(1, sizeof(*control));
    const struct socket_rule rule = {.name = ACTIVATION_NAME_CONTROL,
                                     .path = server->config->control_path,
                                     .mode = 0600,
                                     .group = getegid()};

    if (control == NULL) {
        log_event_text(LOG_LEVEL_ERROR, "listen-failed", "why", "memory is short");
        return -1;
    }
    if (socket_file_get(&control->file, &server->activation, &rule) != 0) {
        free(control);
        return -1;
    }
    control->server = server;
    server->control = control;
    event_assign(&control->acceptable, server->loop, control->file.descriptor, EV_READ | EV_PERSIST,
                 on_acceptable, control);
    evtimer_assign(&control->resume, server->loop, on_resume, control);
    if (event_add(&control->acceptable, NULL) == 0)
        return 0;
    log_event_text(LOG_LEVEL_ERROR, "listen-failed", "why",
                   "the event loop does not take the socket");
    return -1;
}

void control_expire(struct server *server, struct moment now)
{
    for (size_t i = 0; server->control != NULL && i < CLIENTS_MAX; i++) {
        struct control_client *client = &server->control->clients[i];

        if (client->stream != NULL &&
            now.boot_ms - client->moved_ms > INT64_C(2000) * CLIENT_SECONDS)
            end_client(client);
    }
}

void control_close(struct server *server)
{
    struct control *control = server->control;

    if (control == NULL)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (control->clients[i].stream != NULL)
            end_client(&control->clients[i]);
    }
    event_del(&control->acceptable);
    evtimer_del(&control->resume);
    socket_file_unlink(&control->file);
    close(control->file.descriptor);
    free(control);
    server->control = NULL;
}
