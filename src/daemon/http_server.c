#include "daemon/http_server.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "base/moment.h"
#include "daemon/http_host.h"
#include "daemon/loop_memory.h"
#include "daemon/shortage.h"

/* Beyond the headers, what a client may send that nobody has read yet. */
enum { HEADERS_MAX = 8192, AHEAD_MAX = 16384 };

/*
 * libevent's server tells nobody when a client is gone, and knows neither a bound of clients nor a
 * time for a whole request: one that sends a byte now and then stays for ever. So each client's
 * stream is made here and held by a reference of our own. Once libevent has let go of it, its
 * callbacks are gone, which a look finds: at regular times, and when a client comes and there is no
 * room. Until then the descriptor stays open, so that its number is nobody else's.
 */
struct http_client {
    struct http_client *next;
    struct bufferevent *stream;
    int64_t since_ms; /* by the boot clock: of connecting, or of its latest request */
    bool is_arriving; /* libevent was still setting it up when it was last looked at */
    bool is_surplus;  /* one too many: closed at the next look */
    bool is_cut_off;  /* at an earlier look */
};

struct http_server {
    struct http_rules rules;
    struct evhttp *http;
    struct event_base *loop;
    struct evhttp_bound_socket *socket;
    struct event *look;
    struct event *arrival; /* of clients, once libevent has set them up */
    struct http_client *clients;
    size_t client_count;
    bool is_ending;
};

struct http_hold {
    struct http_server *server;
    struct evhttp_request *request;
    void (*gone)(void *context);
    void *context;
};

static const struct timeval soon = {.tv_usec = 50000};
static const struct timeval second = {.tv_sec = 1};

static bool has_left(const struct http_client *client)
{
    void *holder = NULL;

    bufferevent_getcb(client->stream, NULL, NULL, NULL, &holder);
    return holder == NULL;
}

/* Takes the client that *place points to out of the list. */
static void forget(struct http_server *server, struct http_client **place)
{
    struct http_client *client = *place;

    *place = client->next;
    server->client_count--;
    bufferevent_decref(client->stream);
    free(client);
}

/* Where libevent could not set up a client, it has closed the descriptor itself, although its stream
 * is not gone: the number may be somebody else's by now. Who is cut off later has it open. */
static void note_arrivals(struct http_server *server)
{
    for (struct http_client *client = server->clients; client != NULL && client->is_arriving;
         client = client->next) {
        client->is_arriving = false;
        if (has_left(client))
            bufferevent_setfd(client->stream, -1);
    }
}

static void on_arrival(evutil_socket_t descriptor, short events, void *context)
{
    (void)descriptor;
    (void)events;
    note_arrivals(context);
}

/* libevent sees the end of the connection and closes it. */
static void cut_off(struct bufferevent *stream)
{
    evutil_socket_t descriptor = bufferevent_getfd(stream);

    if (descriptor >= 0)
        shutdown(descriptor, SHUT_RDWR);
}

static evutil_socket_t descriptor_of(struct evhttp_connection *connection)
{
    return bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
}

void http_server_cut_off(struct evhttp_connection *connection)
{
    cut_off(evhttp_connection_get_bufferevent(connection));
}

static void set_accepting(struct http_server *server, bool accepting)
{
    if (server->socket == NULL)
        return;
    if (accepting)
        evconnlistener_enable(evhttp_bound_socket_get_listener(server->socket));
    else
        evconnlistener_disable(evhttp_bound_socket_get_listener(server->socket));
}

static bool is_full(const struct http_server *server)
{
    return server->client_count >= server->rules.clients_max;
}

/* Who waits in the backlog of a full server waits for the look that finds somebody gone. The looks
 * go on by themselves: where this fails, the next one comes when it would have. */
static void plan_look(struct http_server *server)
{
    evtimer_add(server->look, is_full(server) || loop_memory_is_low() ? &soon : &second);
}

/* Where the kernel refused to watch its descriptor (epoll_ctl() without memory), libevent waits for
 * an end that it will never see: told of it, it lets go. */
static void end(struct http_client *client)
{
    if (client->is_cut_off)
        bufferevent_trigger_event(client->stream, BEV_EVENT_READING | BEV_EVENT_EOF, 0);
    else
        cut_off(client->stream);
    client->is_cut_off = true;
}

static void look_after(struct http_server *server)
{
    int64_t now_ms = moment_now().boot_ms;
    struct http_client **place = &server->clients;

    note_arrivals(server);
    while (*place != NULL) {
        struct http_client *client = *place;

        if (has_left(client)) {
            forget(server, place);
            continue;
        }
        place = &(*place)->next;
        if (client->is_surplus || now_ms - client->since_ms > (int64_t)server->rules.seconds * 1000)
            end(client);
    }
}

static void on_look(evutil_socket_t descriptor, short events, void *context)
{
    struct http_server *server = context;

    (void)descriptor;
    (void)events;
    look_after(server);
    set_accepting(server, !is_full(server) && !loop_memory_is_low());
    plan_look(server);
}

/* Out of descriptors or memory: the listener stays readable, and the loop must not spin on it. The
 * next look begins anew. */
static void on_accept_error(struct evconnlistener *listener, void *context)
{
    (void)context;
    evconnlistener_disable(listener);
}

/* Nobody more for the moment: the next look begins anew. */
static void pause_accepting(struct http_server *server)
{
    set_accepting(server, false);
    plan_look(server);
}

/* libevent asks for the stream of a client that it has just accepted. NULL: it makes one itself,
 * which nobody here would know of; so that happens only where memory is short. */
static struct bufferevent *make_stream(struct event_base *loop, void *context)
{
    struct http_server *server = context;
    struct http_client *client;

    /* Before the new one is in the list: it has no callbacks yet, as if it had left. */
    if (is_full(server))
        look_after(server);
    if (loop_memory_is_low())
        pause_accepting(server);
    client = calloc(1, sizeof(*client));
    if (client == NULL) {
        shortage_note();
        return NULL;
    }
    client->stream = bufferevent_socket_new(loop, -1, BEV_OPT_CLOSE_ON_FREE);
    if (client->stream == NULL) {
        shortage_note();
        free(client);
        return NULL;
    }
    bufferevent_incref(client->stream);
    /* Of what libevent does when it sets it up one call alone is left that can fail. */
    bufferevent_disable(client->stream, EV_WRITE);
    bufferevent_setwatermark(client->stream, EV_READ, 0,
                             HEADERS_MAX + server->rules.body_max + AHEAD_MAX);
    client->since_ms = moment_now().boot_ms;
    client->is_arriving = true;
    event_active(server->arrival, EV_TIMEOUT, 0);
    client->is_surplus = is_full(server);
    client->next = server->clients;
    server->clients = client;
    server->client_count++;
    if (is_full(server))
        pause_accepting(server);
    return client->stream;
}

void http_server_give_time(struct http_server *server, struct evhttp_connection *connection)
{
    const struct bufferevent *stream = evhttp_connection_get_bufferevent(connection);

    for (struct http_client *client = server->clients; client != NULL; client = client->next) {
        if (client->stream == stream)
            client->since_ms = moment_now().boot_ms;
    }
}

/* libevent leaves a request that is still being answered to whoever answers it, unless the whole
 * server ends: then it has freed it already. */
static void on_gone(struct evhttp_connection *connection, void *context)
{
    struct http_hold *hold = context;

    (void)connection;
    hold->gone(hold->context);
    if (!hold->server->is_ending)
        evhttp_request_free(hold->request);
    free(hold);
}

struct http_hold *http_hold(struct http_server *server, struct evhttp_request *request,
                            void (*gone)(void *context), void *context)
{
    struct http_hold *hold = malloc(sizeof(*hold));

    if (hold == NULL) {
        shortage_note();
        return NULL;
    }
    *hold = (struct http_hold){server, request, gone, context};
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_gone, hold);
    return hold;
}

struct evhttp_request *http_hold_end(struct http_hold **hold)
{
    struct evhttp_request *request = (*hold)->request;

    evhttp_connection_set_closecb(evhttp_request_get_connection(request), NULL, NULL);
    free(*hold);
    *hold = NULL;
    return request;
}

static const struct http_page *find_page(const struct http_rules *rules, const char *path)
{
    for (size_t i = 0; path != NULL && i < rules->page_count; i++) {
        if (strcmp(rules->pages[i].path, path) == 0)
            return &rules->pages[i];
    }
    return NULL;
}

static void on_request(struct evhttp_request *request, void *context)
{
    struct http_server *server = context;
    const struct http_rules *rules = &server->rules;
    struct evhttp_connection *connection = evhttp_request_get_connection(request);
    const char *host = evhttp_find_header(evhttp_request_get_input_headers(request), "Host");
    const struct http_page *page =
        find_page(rules, evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request)));

    http_server_give_time(server, connection);
    if (rules->admits != NULL && !rules->admits(rules->context, descriptor_of(connection)))
        http_refuse(request, 403, "not for this user\n");
    else if (rules->is_network && !http_host_is_local(host))
        http_refuse(request, 421, "ask by the name localhost or by a loopback address\n");
    else if (page == NULL)
        http_refuse(request, HTTP_NOTFOUND, "no such page\n");
    else
        page->answer(request, rules->context);
}

static int set_up(struct http_server *server, int descriptor)
{
    server->http = evhttp_new(server->loop);
    server->look = event_new(server->loop, -1, EV_PERSIST, on_look, server);
    server->arrival = evtimer_new(server->loop, on_arrival, server);
    if (server->http == NULL || server->look == NULL || server->arrival == NULL)
        return -1;
    evhttp_set_max_headers_size(server->http, HEADERS_MAX);
    evhttp_set_max_body_size(server->http, (ev_ssize_t)server->rules.body_max);
    evhttp_set_timeout(server->http, server->rules.seconds);
    evhttp_set_allowed_methods(server->http, (ev_uint16_t)server->rules.methods);
    evhttp_set_default_content_type(server->http, NULL);
    evhttp_set_bevcb(server->http, make_stream, server);
    evhttp_set_gencb(server->http, on_request, server);
    /* The last that can fail: with it the socket changes hands. */
    server->socket = evhttp_accept_socket_with_handle(server->http, descriptor);
    if (server->socket == NULL)
        return -1;
    evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(server->socket), on_accept_error);
    plan_look(server);
    return 0;
}

struct http_server *http_server_create(struct event_base *loop, int descriptor,
                                       const struct http_rules *rules)
{
    struct http_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return NULL;
    server->rules = *rules;
    server->loop = loop;
    if (set_up(server, descriptor) != 0)
        http_server_destroy(&server);
    return server;
}

void http_server_close_socket(struct http_server *server)
{
    if (server->socket != NULL)
        evhttp_del_accept_socket(server->http, server->socket);
    server->socket = NULL;
}

bool http_server_is_writing(const struct http_server *server)
{
    for (const struct http_client *client = server->clients; client != NULL;
         client = client->next) {
        if (!has_left(client) && evbuffer_get_length(bufferevent_get_output(client->stream)) > 0)
            return true;
    }
    return false;
}

void http_server_destroy(struct http_server **server)
{
    struct http_server *gone = *server;

    if (gone == NULL)
        return;
    gone->is_ending = true;
    note_arrivals(gone);
    if (gone->http != NULL)
        evhttp_free(gone->http);
    while (gone->clients != NULL)
        forget(gone, &gone->clients);
    if (gone->look != NULL)
        event_free(gone->look);
    if (gone->arrival != NULL)
        event_free(gone->arrival);
    free(gone);
    *server = NULL;
}
