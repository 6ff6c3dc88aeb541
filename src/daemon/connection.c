#include "daemon/connection.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event_struct.h>
#include <openssl/crypto.h>

#include "daemon/dialogue.h"
#include "daemon/log.h"
#include "daemon/shortage.h"

/* What one client may put into one turn of the loop, so that it can't keep the others waiting. */
enum { READ_SIZE = 16 * 1024, DISCARDS_MAX = 16 };

/* What those share who wait to be read, and what each is read at the least. */
enum { SHARED_READ_SIZE = 48 * 1024, READ_SIZE_MIN = 4 * 1024 };

/* When so much was read, the turn ends: what else can be read is read in the next one, while those
 * who have their answers ask on. */
enum { TURN_ENOUGH = 16 * 1024 };

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
    int64_t waiting_since_ms; /* boot clock */
    struct dialogue dialogue;
    enum connection_state state;
    int descriptor;
    bool is_in_turn;
    bool is_waiting;
    bool was_active; /* since the last tick */
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
        logfmt_number(&line.fields, "connection", (int64_t)connection->dialogue.number);
        logfmt_text(&line.fields, "why", why);
        log_end(&line, LOG_LEVEL_DEBUG);
    }
}

/* A peer that is gone is the peer's own affair; any other failure is the operator's. */
static void note_failure(const struct connection *connection, int error)
{
    struct server *server = connection->server;

    if (error != ECONNRESET && error != EPIPE &&
        event_limit_allows(&server->event_limits, LIMITED_FAILED, server_now(server)))
        log_event_text(LOG_LEVEL_ERROR, "connection-failed", "why", strerror(error));
}

static void join_turn(struct connection *connection)
{
    if (connection->is_in_turn)
        return;
    connection->is_in_turn = true;
    connection->was_active = true;
    /* In the order in which they spoke, so that none is always answered last. */
    STAILQ_INSERT_TAIL(&connection->server->turn, connection, turn);
}

/* Hands over what was read, and goes where the dialogue goes. */
static void take_input(struct connection *connection, const uint8_t *data, size_t size)
{
    const char *why = NULL;

    switch (dialogue_take(&connection->dialogue, data, size, &why)) {
    case DIALOGUE_OPEN:
        break;
    case DIALOGUE_FULL:
        change_state(connection, CONNECTION_PAUSED, NULL);
        break;
    case DIALOGUE_OVER:
        change_state(connection, CONNECTION_FINISHING, why);
        break;
    case DIALOGUE_FAILED:
        shortage_note();
        change_state(connection, CONNECTION_CLOSED, why);
        break;
    }
}

/* Everybody waits for what one client may ask at once: the more there are who wait, the less it is.
 * Alone with a few, it is enough to fill an answer's write. */
static size_t read_share(const struct server *server)
{
    int waiting = event_base_get_num_events(server->loop, EVENT_BASE_COUNT_ACTIVE);
    size_t share = SHARED_READ_SIZE / ((size_t)waiting + 1);

    if (share > READ_SIZE)
        return READ_SIZE;
    return share < READ_SIZE_MIN ? READ_SIZE_MIN : share;
}

static void count_read(struct server *server, size_t size)
{
    server->turn_read_size += size;
    if (server->turn_read_size >= TURN_ENOUGH)
        event_base_loopbreak(server->loop);
}

static void on_readable(evutil_socket_t descriptor, short events, void *context)
{
    static uint8_t data[READ_SIZE];
    struct connection *connection = context;
    size_t share = read_share(connection->server);
    ssize_t size;

    (void)events;
    join_turn(connection);
    if (connection->state != CONNECTION_READING)
        return;
    do {
        size = recv(descriptor, data, share, 0);
    } while (size < 0 && errno == EINTR);
    if (size < 0 && errno != EAGAIN) {
        note_failure(connection, errno);
        change_state(connection, CONNECTION_CLOSED, "reading failed");
        return;
    }
    take_input(connection, data, size > 0 ? (size_t)size : 0);
    if (size > 0) {
        count_read(connection->server, (size_t)size);
        explicit_bzero(data, (size_t)size);
    }
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
    void *connection = (char *)answers - offsetof(struct connection, dialogue.answers);

    join_turn(connection);
}

int connection_open(struct server *server, int descriptor, size_t listener)
{
    struct connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL) {
        close(descriptor);
        return -1;
    }
    connection->server = server;
    connection->descriptor = descriptor;
    dialogue_init(&connection->dialogue, server, listener, on_filled);
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
    size_t size = answers_ready(&connection->dialogue.answers);
    ssize_t written;

    if (size == 0 || connection->state == CONNECTION_CLOSED)
        return;
    do {
        written = send(connection->descriptor, answers_front(&connection->dialogue.answers), size,
                       MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (written < 0 && errno == EINTR);
    if (written > 0) {
        connection->dialogue.progressed = true;
        answers_consume(&connection->dialogue.answers, (size_t)written);
    } else if (written < 0 && errno != EAGAIN) {
        note_failure(connection, errno);
        change_state(connection, CONNECTION_CLOSED, "writing failed");
    }
}

/* Reads away what may follow a connection's one question, so that closing does not look to the peer
 * like a failure. What comes later than this is the peer's own affair. */
static void discard_rest(const struct connection *connection)
{
    const struct protocol *protocol = connection->dialogue.answers.protocol;
    uint8_t rest[1024];

    if (protocol == NULL || !protocol->asks_once)
        return;
    for (int i = 0; i < DISCARDS_MAX; i++) {
        if (recv(connection->descriptor, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
            break;
    }
    OPENSSL_cleanse(rest, sizeof(rest));
}

/* Waits for room where answers are left, goes on reading where they are gone. */
static void after_output(struct connection *connection)
{
    if (connection->state == CONNECTION_CLOSED)
        return;
    if (answers_ready(&connection->dialogue.answers) == 0)
        event_del(&connection->writable);
    else if (event_add(&connection->writable, NULL) != 0)
        change_state(connection, CONNECTION_CLOSED, "the event loop failed");
    if (answers_size(&connection->dialogue.answers) == 0 &&
        connection->state == CONNECTION_FINISHING) {
        discard_rest(connection);
        change_state(connection, CONNECTION_CLOSED, "all is answered");
    }
    if (connection->state == CONNECTION_PAUSED && !dialogue_is_full(&connection->dialogue)) {
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
    bool waits = bytes_size(&connection->dialogue.input) > 0 ||
                 answers_size(&connection->dialogue.answers) > 0;
    bool begins = waits && (!connection->is_waiting || connection->dialogue.progressed);

    if (connection->is_waiting && (begins || !waits))
        TAILQ_REMOVE(&server->waiting, connection, waiting);
    if (begins) {
        connection->waiting_since_ms = server_now(server).boot_ms;
        TAILQ_INSERT_TAIL(&server->waiting, connection, waiting);
    }
    connection->is_waiting = waits;
    connection->dialogue.progressed = false;
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
    dialogue_clear(&connection->dialogue);
    free(connection);
}

void connections_finish_turn(struct server *server)
{
    server->turn_read_size = 0;
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

static void log_timeout(const struct connection *connection)
{
    struct log_line line;

    log_begin(&line, LOG_LEVEL_INFO, "connection-timeout");
    logfmt_number(&line.fields, "connection", (int64_t)connection->dialogue.number);
    logfmt_text(&line.fields, "waited_for",
                answers_size(&connection->dialogue.answers) > 0 ? "its answers to be read"
                                                                : "the rest of a question");
    log_end(&line, LOG_LEVEL_INFO);
}

/* It is released with the turn, not here: in this very turn it may have read a byte, and stand among those that did. */
static void expire(struct connection *connection)
{
    struct server *server = connection->server;

    if (event_limit_allows(&server->event_limits, LIMITED_TIMEOUT, server_now(server)))
        log_timeout(connection);
    TAILQ_REMOVE(&server->waiting, connection, waiting);
    connection->is_waiting = false;
    change_state(connection, CONNECTION_CLOSED, "timeout");
    join_turn(connection);
}

/* Gives its buffers back when it was silent for a while: who asks all the time keeps them. */
static void trim(struct connection *connection)
{
    if (!connection->was_active) {
        bytes_trim(&connection->dialogue.input);
        bytes_trim(&connection->dialogue.answers.output);
    }
    connection->was_active = false;
}

void connections_expire(struct server *server, struct moment now)
{
    struct connection *connection;

    while ((connection = overdue(server, now)) != NULL)
        expire(connection);
    for (connection = TAILQ_FIRST(&server->connections); connection != NULL;
         connection = TAILQ_NEXT(connection, all))
        trim(connection);
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
    struct connection *connection = TAILQ_FIRST(&server->connections);

    while (connection != NULL) {
        struct connection *next = TAILQ_NEXT(connection, all);

        release(connection);
        connection = next;
    }
    STAILQ_INIT(&server->turn);
}

size_t connections_pending_bytes(const struct server *server)
{
    size_t pending = 0;

    for (const struct connection *connection = TAILQ_FIRST(&server->waiting); connection != NULL;
         connection = TAILQ_NEXT(connection, waiting))
        pending +=
            bytes_size(&connection->dialogue.input) + answers_size(&connection->dialogue.answers);
    return pending;
}
