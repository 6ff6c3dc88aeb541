#include "daemon/connection.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event_struct.h>
#include <openssl/crypto.h>

#include "daemon/answers.h"
#include "daemon/bytes.h"
#include "daemon/log.h"

/* What one client may put into one turn of the loop, so that it can't keep the others waiting. */
enum { READ_SIZE = 16 * 1024 };

enum connection_state {
    CONNECTION_READING, /* questions are read and answered */
    CONNECTION_PAUSED,  /* it leaves too many answers unread: it is not read from until it reads */
    CONNECTION_FINISHING, /* no more questions are taken; answers are still to be written */
    CONNECTION_CLOSED     /* to be released when the turn is over, never inside a callback */
};

struct connection {
    TAILQ_ENTRY(connection) all;
    TAILQ_ENTRY(connection) waiting;
    STAILQ_ENTRY(connection) turn;
    struct server *server;
    struct event readable;
    struct event writable;
    uint64_t number;
    int64_t waiting_since_ms; /* boot clock */
    struct bytes
        input; /* bytes read and not yet consumed: part of a question, or more while paused */
    struct answers answers;
    enum connection_state state;
    int descriptor;
    bool is_in_turn;
    bool is_waiting;
    bool has_asked;
    bool progressed; /* in this turn: a question was complete, or the peer took answers */
};

static void change_state(struct connection *connection, enum connection_state state,
                         const char *why)
{
    if (connection->state == CONNECTION_CLOSED || connection->state == state)
        return;
    connection->state = state;
    if (state != CONNECTION_READING)
        event_del(&connection->readable);
    else if (event_add(&connection->readable, NULL) != 0)
        connection->state = CONNECTION_CLOSED;
    if (state >= CONNECTION_FINISHING && log_wants(LOG_LEVEL_DEBUG)) {
        struct log_line line;

        log_begin(&line, LOG_LEVEL_DEBUG,
                  state == CONNECTION_CLOSED ? "connection-closed" : "connection-finishing");
        logfmt_number(&line.fields, "connection", (int64_t)connection->number);
        logfmt_text(&line.fields, "why", why);
        log_end(&line, LOG_LEVEL_DEBUG);
    }
}

static void join_turn(struct connection *connection)
{
    if (connection->is_in_turn)
        return;
    connection->is_in_turn = true;
    /* In the order in which they spoke, so that none is always answered last. */
    STAILQ_INSERT_TAIL(&connection->server->turn, connection, turn);
}

/* `features:tryagain` counts as a connection's first question alone, and needs length framing. */
static bool begins_try_again(const struct connection *connection, const struct question *question)
{
    return question->kind == QUESTION_TRY_AGAIN && !connection->has_asked &&
           connection->answers.protocol == &protocol_ejabberd;
}

/* Asks the authority, with a place kept for the answer. -1 where memory is short. */
static int ask(struct connection *connection, const struct question *question)
{
    struct server *server = connection->server;
    struct answer_place *place = answers_reserve(&connection->answers, connection->number);
    int answer;

    if (place == NULL)
        return -1;
    answer = authority_ask(&server->authority, question, server_now(server), &place->asker);
    if (answer != ANSWER_PENDING)
        answers_fill(place, (enum answer)answer);
    return 0;
}

static int take_question(struct connection *connection, const struct frame *frame)
{
    struct question question = question_parse(frame->text, frame->length);

    if (begins_try_again(connection, &question)) {
        connection->answers.understands_try_again = true;
        return answers_add(&connection->answers, ANSWER_YES);
    }
    return ask(connection, &question);
}

static bool has_too_much_pending(const struct connection *connection)
{
    return answers_size(&connection->answers) >=
           (size_t)connection->server->config->server->max_pending;
}

/* Answers one question at the front of data; how many bytes it took, 0 if there is none yet or no
 * more are taken. */
static size_t answer_one(struct connection *connection, const uint8_t *data, size_t size)
{
    size_t maximum = (size_t)connection->server->config->server->max_request;
    struct frame frame;

    switch (connection->answers.protocol->find_frame(data, size, maximum, &frame)) {
    case FRAME_INCOMPLETE:
        return 0;
    case FRAME_COMPLETE:
        if (take_question(connection, &frame) != 0)
            change_state(connection, CONNECTION_CLOSED, "memory is short");
        connection->has_asked = true;
        connection->progressed = true;
        return frame.size;
    case FRAME_TOO_LONG:
        break;
    }
    authority_refuse_unframed(&connection->server->authority, server_now(connection->server),
                              connection->number);
    if (answers_add(&connection->answers, ANSWER_NO) != 0)
        change_state(connection, CONNECTION_CLOSED, "memory is short");
    change_state(connection, CONNECTION_FINISHING, "a question is too long");
    return 0;
}

/* Answers the questions in data until it must stop; how many bytes were used up. */
static size_t answer_all(struct connection *connection, const uint8_t *data, size_t size)
{
    size_t used = 0;

    if (size > 0 && connection->answers.protocol == NULL)
        connection->answers.protocol = protocol_of_first_byte(data[0]);
    while (used < size && connection->state == CONNECTION_READING) {
        size_t taken = answer_one(connection, data + used, size - used);

        if (taken == 0)
            break;
        used += taken;
        if (has_too_much_pending(connection))
            change_state(connection, CONNECTION_PAUSED, NULL);
    }
    return used;
}

/* Keeps what was read and not used up for the next turn. */
static void keep_input(struct connection *connection, const uint8_t *data, size_t size)
{
    uint8_t *place = size == 0 ? NULL : bytes_extend(&connection->input, size);

    if (place != NULL)
        memcpy(place, data, size);
    else if (size > 0)
        change_state(connection, CONNECTION_CLOSED, "memory is short");
}

/* Straight from where it was read, unless something was left over before. */
static void take_input(struct connection *connection, const uint8_t *data, size_t size)
{
    if (bytes_size(&connection->input) == 0) {
        size_t used = answer_all(connection, data, size);

        keep_input(connection, data + used, size - used);
        return;
    }
    keep_input(connection, data, size);
    if (connection->state == CONNECTION_READING)
        bytes_consume(&connection->input,
                      answer_all(connection, connection->input.data + connection->input.start,
                                 bytes_size(&connection->input)));
}

static void on_readable(evutil_socket_t descriptor, short events, void *context)
{
    static uint8_t data[READ_SIZE];
    struct connection *connection = context;
    ssize_t size;

    (void)events;
    join_turn(connection);
    if (connection->state != CONNECTION_READING)
        return;
    do {
        size = recv(descriptor, data, sizeof(data), 0);
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        change_state(connection, CONNECTION_CLOSED, "reading failed");
        return;
    }
    take_input(connection, data, size > 0 ? (size_t)size : 0);
    if (size > 0)
        OPENSSL_cleanse(data, (size_t)size);
    /* The peer asks nothing more; paused, it comes back here when it has read some answers. */
    if (size == 0 && connection->state == CONNECTION_READING)
        change_state(connection, CONNECTION_FINISHING, "the peer has asked its last question");
}

static void on_writable(evutil_socket_t descriptor, short events, void *context)
{
    (void)descriptor;
    (void)events;
    join_turn(context);
}

/* An answer came that was not known in the turn of its question. */
static void on_filled(struct answers *answers)
{
    join_turn((struct connection *)((char *)answers - offsetof(struct connection, answers)));
}

int connection_open(struct server *server, int descriptor, const struct protocol *protocol)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL) {
        close(descriptor);
        return -1;
    }
    connection->server = server;
    connection->descriptor = descriptor;
    answers_init(&connection->answers, &server->places, on_filled);
    connection->answers.protocol = protocol; /* NULL until the first byte tells */
    connection->number = server->accepted;
    event_assign(&connection->readable, server->loop, descriptor, EV_READ | EV_PERSIST, on_readable,
                 connection);
    event_assign(&connection->writable, server->loop, descriptor, EV_WRITE | EV_PERSIST,
                 on_writable, connection);
    if (event_add(&connection->readable, NULL) != 0) {
        close(descriptor);
        free(connection);
        return -1;
    }
    TAILQ_INSERT_TAIL(&server->connections, connection, all);
    server->connection_count++;
    if (server->draining)
        shutdown(descriptor, SHUT_RD);
    return 0;
}

static void write_output(struct connection *connection)
{
    size_t size = answers_ready(&connection->answers);
    ssize_t written;

    if (size == 0 || connection->state == CONNECTION_CLOSED)
        return;
    do {
        written = send(connection->descriptor, answers_front(&connection->answers), size,
                       MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (written < 0 && errno == EINTR);
    if (written > 0) {
        connection->progressed = true;
        answers_consume(&connection->answers, (size_t)written);
    } else if (written < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
        change_state(connection, CONNECTION_CLOSED, "writing failed");
    }
}

/* Waits for room where answers are left, goes on reading where they are gone. */
static void after_output(struct connection *connection)
{
    if (connection->state == CONNECTION_CLOSED)
        return;
    if (answers_ready(&connection->answers) == 0)
        event_del(&connection->writable);
    else if (event_add(&connection->writable, NULL) != 0)
        change_state(connection, CONNECTION_CLOSED, "the event loop failed");
    if (answers_size(&connection->answers) == 0 && connection->state == CONNECTION_FINISHING)
        change_state(connection, CONNECTION_CLOSED, "all is answered");
    if (connection->state == CONNECTION_PAUSED && !has_too_much_pending(connection)) {
        change_state(connection, CONNECTION_READING, NULL);
        /* What was read before the pause must be answered though no byte comes any more. */
        event_active(&connection->readable, EV_READ, 0);
    }
}

/* Keeps the list of those that wait in the order of time, by putting who made progress at its end.
 */
static void note_waiting(struct connection *connection)
{
    struct server *server = connection->server;
    bool waits = bytes_size(&connection->input) > 0 || answers_size(&connection->answers) > 0;
    bool begins = waits && (!connection->is_waiting || connection->progressed);

    if (connection->is_waiting && (begins || !waits))
        TAILQ_REMOVE(&server->waiting, connection, waiting);
    if (begins) {
        connection->waiting_since_ms = server_now(server).boot_ms;
        TAILQ_INSERT_TAIL(&server->waiting, connection, waiting);
    }
    connection->is_waiting = waits;
    connection->progressed = false;
}

static void release(struct connection *connection)
{
    struct server *server = connection->server;

    event_del(&connection->readable);
    event_del(&connection->writable);
    if (connection->is_waiting)
        TAILQ_REMOVE(&server->waiting, connection, waiting);
    TAILQ_REMOVE(&server->connections, connection, all);
    server->connection_count--;
    close(connection->descriptor);
    bytes_clear(&connection->input);
    answers_clear(&connection->answers);
    free(connection);
}

void connections_finish_turn(struct server *server)
{
    while (!STAILQ_EMPTY(&server->turn)) {
        struct connection *connection = STAILQ_FIRST(&server->turn);

        STAILQ_REMOVE_HEAD(&server->turn, turn);
        connection->is_in_turn = false;
        write_output(connection);
        after_output(connection);
        if (connection->state == CONNECTION_CLOSED)
            release(connection);
        else
            note_waiting(connection);
    }
}

/* The connection that has waited longest, if that is too long. */
static struct connection *overdue(const struct server *server, struct moment now)
{
    struct connection *longest = TAILQ_FIRST(&server->waiting);
    int64_t oldest_ms = now.boot_ms - server->config->server->request_timeout_ms;

    return longest != NULL && longest->waiting_since_ms <= oldest_ms ? longest : NULL;
}

/* It is released with the turn, not here: in this very turn it may have read a byte, and stand among those that did. */
static void expire(struct connection *connection)
{
    struct log_line line;

    log_begin(&line, LOG_LEVEL_INFO, "connection-timeout");
    logfmt_number(&line.fields, "connection", (int64_t)connection->number);
    logfmt_text(&line.fields, "waited_for",
                answers_size(&connection->answers) > 0 ? "its answers to be read"
                                                       : "the rest of a question");
    log_end(&line, LOG_LEVEL_INFO);
    TAILQ_REMOVE(&connection->server->waiting, connection, waiting);
    connection->is_waiting = false;
    change_state(connection, CONNECTION_CLOSED, "timeout");
    join_turn(connection);
}

void connections_expire(struct server *server, struct moment now)
{
    struct connection *connection;

    while ((connection = overdue(server, now)) != NULL)
        expire(connection);
    for (connection = TAILQ_FIRST(&server->connections); connection != NULL;
         connection = TAILQ_NEXT(connection, all)) {
        bytes_trim(&connection->input);
        bytes_trim(&connection->answers.output);
    }
}

void connections_drain(struct server *server)
{
    struct connection *connection;

    /* The peer's next write fails, so it knows that it was never received; what it wrote before is
     * still read and answered, and the end of file behind it finishes the connection. */
    for (connection = TAILQ_FIRST(&server->connections); connection != NULL;
         connection = TAILQ_NEXT(connection, all))
        shutdown(connection->descriptor, SHUT_RD);
}

void connections_close_all(struct server *server)
{
    while (!TAILQ_EMPTY(&server->connections))
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): release() takes it out of the list */
        release(TAILQ_FIRST(&server->connections));
    STAILQ_INIT(&server->turn);
}

size_t connections_pending_bytes(const struct server *server)
{
    size_t pending = 0;

    for (const struct connection *connection = TAILQ_FIRST(&server->waiting); connection != NULL;
         connection = TAILQ_NEXT(connection, waiting))
        pending += bytes_size(&connection->input) + answers_size(&connection->answers);
    return pending;
}
