#include "daemon/http_door.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "daemon/http_server.h"
#include "daemon/http_socket.h"
#include "daemon/log.h"
#include "daemon/shortage.h"
#include "wire/http_question.h"

enum {
    CLIENTS_MAX = 256,
    /* When told to stop: time for what was sent before to be read. */
    DRAIN_MICROSECONDS = 50000
};

/* A request whose verdict is not known yet. */
struct pending_request {
    struct asker asker; /* first: the authority hands it back */
    struct http_doors *doors;
    struct http_hold *hold;
};

struct door {
    struct http_doors *doors;
    struct socket_file file;
    struct http_server *http;
    size_t index; /* of its configuration; a reload changes neither number nor order */
    uint64_t refused_in_a_row;
};

struct http_doors {
    struct server *server;
    struct event *drained;
    uint64_t pending_count;
    bool is_drained;
    size_t count;
    struct door doors[];
};

static const struct http_door *configuration_of(const struct door *door)
{
    return &door->doors->server->config->http_doors[door->index];
}

/* ---- who may ask ---- */

static bool admits(void *context, int descriptor)
{
    const struct http_door *configuration = configuration_of(context);

    return configuration->at.address.path == NULL ||
           peer_is_allowed(descriptor, &configuration->peers);
}

/* Compares with what a client that knows the password sends, in a time that tells nothing of it. */
static bool has_password(const struct http_door *configuration, const char *presented)
{
    const struct secret *password = configuration->password;
    size_t user_length = strlen(configuration->user);
    size_t size = user_length + 1 + password->size;
    unsigned char *plain = OPENSSL_malloc(size);
    unsigned char *encoded = OPENSSL_malloc(4 * (size / 3 + 1) + 1);
    bool is_right = false;

    if (plain != NULL && encoded != NULL) {
        int length;

        memcpy(plain, configuration->user, user_length);
        plain[user_length] = ':';
        memcpy(plain + user_length + 1, password->bytes, password->size);
        length = EVP_EncodeBlock(encoded, plain, (int)size);
        is_right = strlen(presented) == (size_t)length &&
                   CRYPTO_memcmp(presented, encoded, (size_t)length) == 0;
    }
    OPENSSL_clear_free(plain, size);
    OPENSSL_clear_free(encoded, 4 * (size / 3 + 1) + 1);
    return is_right;
}

static bool is_authorized(const struct door *door, struct evhttp_request *request)
{
    static const char scheme[] = "Basic ";
    const struct http_door *configuration = configuration_of(door);
    const char *header =
        evhttp_find_header(evhttp_request_get_input_headers(request), "Authorization");

    if (configuration->at.address.path != NULL)
        return true;
    return header != NULL && strncasecmp(header, scheme, sizeof(scheme) - 1) == 0 &&
           has_password(configuration, header + sizeof(scheme) - 1);
}

static void refuse_unauthorized(struct door *door, struct evhttp_request *request)
{
    struct server *server = door->doors->server;

    /* The first of a row alone: a client that keeps trying must not fill the log. Nor must one whose
     * tries others' take turns with. */
    if (door->refused_in_a_row++ == 0 &&
        event_limit_allows(&server->event_limits, LIMITED_REFUSED, server_now(server)))
        log_event_text(LOG_LEVEL_WARNING, "connection-refused", "why",
                       "an HTTP client without the right http_user and http_password");
    server->refused++;
    evhttp_add_header(evhttp_request_get_output_headers(request), "WWW-Authenticate",
                      "Basic realm=\"xmpp-authd\"");
    http_refuse(request, 401, "");
}

/* ---- questions and answers ---- */

static void send_answer(struct evhttp_request *request, enum answer answer)
{
    if (answer == ANSWER_TRY_AGAIN)
        http_answer(request, HTTP_SERVUNAVAIL, "text/plain", "try again");
    else
        http_answer(request, HTTP_OK, "text/plain", answer == ANSWER_YES ? "true" : "false");
}

static void on_answer(struct asker *asker, enum answer answer)
{
    struct pending_request *pending = (struct pending_request *)asker;

    pending->doors->pending_count--;
    send_answer(http_hold_end(&pending->hold), answer);
    free(pending);
}

/* The token stays spent, as it would if the answer were lost on its way. */
static void on_gone(void *context)
{
    struct pending_request *pending = context;

    pending->doors->pending_count--;
    asker_withdraw(&pending->asker);
    free(pending);
}

/* Waits for the verdict, which comes at the end of this turn at the earliest. */
static void wait_for_answer(struct door *door, struct evhttp_request *request,
                            struct pending_request *pending)
{
    pending->doors = door->doors;
    pending->hold = http_hold(door->http, request, on_gone, pending);
    if (pending->hold != NULL) {
        door->doors->pending_count++;
        return;
    }
    asker_withdraw(&pending->asker);
    free(pending);
    send_answer(request, ANSWER_TRY_AGAIN);
}

static void ask(struct door *door, struct evhttp_request *request, const struct question *question)
{
    struct server *server = door->doors->server;
    struct pending_request *pending = calloc(1, sizeof(*pending));
    int answer;

    if (pending == NULL) {
        shortage_note();
        send_answer(request, ANSWER_TRY_AGAIN);
        return;
    }
    pending->asker = (struct asker){.answer = on_answer, .connection = server->accepted};
    answer = authority_ask(&server->authority, question, NULL, server_now(server), &pending->asker);
    if (answer == ANSWER_PENDING) {
        wait_for_answer(door, request, pending);
        return;
    }
    free(pending);
    send_answer(request, (enum answer)answer);
}

/* Where the fields stand: in the query of a GET, in the body of a POST. NULL: in both, or nowhere.
 */
static const char *form_of(struct evhttp_request *request, size_t *length_r)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));

    *length_r = evbuffer_get_length(body);
    if ((evhttp_request_get_command(request) == EVHTTP_REQ_POST) != (query == NULL) ||
        (*length_r > 0) != (query == NULL))
        return NULL;
    if (query == NULL)
        return (const char *)evbuffer_pullup(body, -1);
    *length_r = strlen(query);
    return query;
}

static void take_request(struct door *door, struct evhttp_request *request, enum question_kind kind)
{
    struct server *server = door->doors->server;
    char text[REQUEST_MAX];
    struct question question = question_malformed;
    const char *form;
    size_t length;

    if (!is_authorized(door, request)) {
        refuse_unauthorized(door, request);
        return;
    }
    door->refused_in_a_row = 0;
    server->accepted++;
    form = form_of(request, &length);
    if (form != NULL && length <= (size_t)server->config->server->max_request)
        question = http_question_parse(kind, form, length, text);
    if (kind == QUESTION_UNSUPPORTED) {
        struct asker nobody = {.connection = server->accepted};

        /* Never pending: it is not answered yes. */
        (void)authority_ask(&server->authority, &question, NULL, server_now(server), &nobody);
        http_answer(request, 403, "text/plain", "false");
    } else {
        ask(door, request, &question);
    }
    OPENSSL_cleanse(text, sizeof(text));
}

static void check_password(struct evhttp_request *request, void *context)
{
    take_request(context, request, QUESTION_AUTH);
}

static void user_exists(struct evhttp_request *request, void *context)
{
    take_request(context, request, QUESTION_IS_USER);
}

static void unsupported(struct evhttp_request *request, void *context)
{
    take_request(context, request, QUESTION_UNSUPPORTED);
}

static const struct http_page pages[] = {
    {"/check_password", check_password}, {"/user_exists", user_exists},
    {"/register", unsupported},          {"/set_password", unsupported},
    {"/remove_user", unsupported},       {"/remove_user_validate", unsupported},
    {"/get_password", unsupported},      {"/get_certs", unsupported},
};

/* ---- life ---- */

static int open_door(struct door *door)
{
    struct server *server = door->doors->server;
    const struct server_values *values = server->config->server;
    const struct http_rules rules = {
        .pages = pages,
        .page_count = sizeof(pages) / sizeof(pages[0]),
        .context = door,
        .methods = EVHTTP_REQ_GET | EVHTTP_REQ_POST,
        .body_max = (size_t)values->max_request,
        .clients_max = CLIENTS_MAX,
        .seconds = (int)(values->request_timeout_ms / 1000),
        /* The password keeps web pages out, by whatever name they ask. */
        .is_network = false,
        .admits = admits,
    };
    const struct http_door *configuration = configuration_of(door);

    if (http_socket_get(&door->file, &server->activation, configuration->name,
                        &configuration->at) != 0) {
        door->file.descriptor = -1;
        return -1;
    }
    door->http = http_server_create(server->loop, door->file.descriptor, &rules);
    if (door->http == NULL)
        log_event_text(LOG_LEVEL_ERROR, "listen-failed", "why", "memory is short");
    return door->http == NULL ? -1 : 0;
}

static void on_drained(evutil_socket_t descriptor, short events, void *context)
{
    (void)descriptor;
    (void)events;
    ((struct http_doors *)context)->is_drained = true;
}

int http_doors_open(struct server *server)
{
    size_t count = server->config->http_door_count;
    struct http_doors *doors;

    if (count == 0)
        return 0;
    doors = calloc(1, sizeof(*doors) + count * sizeof(doors->doors[0]));
    server->http_doors = doors;
    if (doors != NULL) {
        doors->server = server;
        doors->drained = evtimer_new(server->loop, on_drained, doors);
    }
    if (doors == NULL || doors->drained == NULL) {
        log_event_text(LOG_LEVEL_ERROR, "listen-failed", "why", "memory is short");
        return -1;
    }
    for (; doors->count < count; doors->count++) {
        struct door *door = &doors->doors[doors->count];

        *door = (struct door){.doors = doors, .index = doors->count};
        if (open_door(door) != 0) {
            doors->count++;
            return -1;
        }
    }
    return 0;
}

void http_doors_drain(struct server *server)
{
    static const struct timeval moment = {.tv_usec = DRAIN_MICROSECONDS};
    struct http_doors *doors = server->http_doors;

    for (size_t i = 0; doors != NULL && i < doors->count; i++) {
        socket_file_unlink(&doors->doors[i].file);
        http_server_close_socket(doors->doors[i].http);
    }
    if (doors != NULL)
        evtimer_add(doors->drained, &moment);
}

bool http_doors_are_done(const struct server *server)
{
    const struct http_doors *doors = server->http_doors;

    if (doors == NULL)
        return true;
    for (size_t i = 0; i < doors->count; i++) {
        if (http_server_is_writing(doors->doors[i].http))
            return false;
    }
    return doors->is_drained && doors->pending_count == 0;
}

static void close_door(struct door *door)
{
    if (door->file.descriptor < 0)
        return;
    socket_file_unlink(&door->file);
    /* Its socket goes with the server, once there is one. */
    if (door->http == NULL)
        close(door->file.descriptor);
    http_server_destroy(&door->http);
}

void http_doors_close(struct server *server)
{
    struct http_doors *doors = server->http_doors;

    if (doors == NULL)
        return;
    for (size_t i = 0; i < doors->count; i++)
        close_door(&doors->doors[i]);
    if (doors->drained != NULL)
        event_free(doors->drained);
    free(doors);
    server->http_doors = NULL;
}
