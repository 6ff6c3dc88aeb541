#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { RECEIVE_SIZE = 64 * 1024, EVENTS_MAX = 1024, SILENCE_MS = 10 * 1000 };

/* Questions sent together. */
struct batch {
    int64_t sent_ns;
    size_t unanswered;
};

struct client {
    int descriptor;
    bool waits_for_room; /* part of its last batch is not sent yet: unsent .. unsent_end */
    bool differs;        /* the answer being received is not yes */
    size_t phase;        /* bytes received of that answer */
    const uint8_t *unsent;
    const uint8_t *unsent_end;
    size_t unanswered;
    struct batch *batches; /* a ring of plan->depth */
    size_t oldest;
    size_t batch_count;
};

struct load {
    const struct load_plan *plan;
    struct client *clients;
    struct batch *batches;
    size_t client_count; /* connected */
    int epoll;
    size_t depth;
    size_t next; /* the next question to ask */
    size_t end;  /* and where to stop asking */
    size_t answered;
    struct load_result *result;
    uint8_t yes[RECEIVE_SIZE + 8]; /* nothing but yes, to compare with at once */
};

static int fail(const struct load *load, const char *what)
{
    fprintf(stderr, "%s: %s\n", load->plan->path, what);
    return -1;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec time = {0};

    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int watch(struct load *load, struct client *client, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET |
                                          (client->waits_for_room ? (uint32_t)EPOLLOUT : 0),
                                .data.ptr = client};

    return epoll_ctl(load->epoll, operation, client->descriptor, &event);
}

/* Sends what is ready; what the socket has no room for waits. */
static int send_unsent(struct load *load, struct client *client)
{
    bool waited = client->waits_for_room;
    ssize_t sent = send(client->descriptor, client->unsent,
                        (size_t)(client->unsent_end - client->unsent), MSG_NOSIGNAL);

    if (sent < 0 && errno != EAGAIN)
        return fail(load, "the server does not read any more");
    client->unsent += sent > 0 ? sent : 0;
    client->waits_for_room = client->unsent < client->unsent_end;
    return client->waits_for_room == waited ? 0 : watch(load, client, EPOLL_CTL_MOD);
}

/* Asks as many questions as the client may have unanswered. */
static int ask(struct load *load, struct client *client)
{
    const struct question_set *questions = load->plan->questions;
    size_t count = load->depth - client->unanswered;

    if (count > load->end - load->next)
        count = load->end - load->next;
    if (count == 0 || client->waits_for_room)
        return 0;
    client->unsent = questions->bytes + load->next * questions->framing->question_size;
    client->unsent_end = client->unsent + count * questions->framing->question_size;
    load->next += count;
    client->unanswered += count;
    client->batches[(client->oldest + client->batch_count++) % load->plan->depth] =
        (struct batch){.sent_ns = clock_ns(CLOCK_MONOTONIC), .unanswered = count};
    return send_unsent(load, client);
}

static void note_latency(struct load *load, struct client *client, size_t answers)
{
    int64_t now = clock_ns(CLOCK_MONOTONIC);

    while (answers > 0) {
        struct batch *batch = &client->batches[client->oldest];
        size_t count = answers < batch->unanswered ? answers : batch->unanswered;

        latency_add(&load->result->latency, now - batch->sent_ns, count);
        answers -= count;
        batch->unanswered -= count;
        if (batch->unanswered == 0) {
            client->oldest = (client->oldest + 1) % load->plan->depth;
            client->batch_count--;
        }
    }
}

/* Counts answers byte by byte, where not all of them say yes. */
static void count_answers(struct load *load, struct client *client, const uint8_t *bytes,
                          size_t size)
{
    const struct framing *framing = load->plan->questions->framing;

    for (size_t i = 0; i < size; i++) {
        client->differs |= bytes[i] != framing->yes[client->phase];
        if (++client->phase < framing->answer_size)
            continue;
        if (client->differs)
            load->result->other++;
        else
            load->result->yes++;
        client->phase = 0;
        client->differs = false;
    }
}

static int take_answers(struct load *load, struct client *client, const uint8_t *bytes, size_t size)
{
    size_t answer_size = load->plan->questions->framing->answer_size;
    size_t answers = (client->phase + size) / answer_size;

    if (answers > client->unanswered)
        return fail(load, "answers that nobody asked for");
    note_latency(load, client, answers);
    client->unanswered -= answers;
    load->answered += answers;
    if (client->differs || memcmp(bytes, load->yes + client->phase, size) != 0) {
        count_answers(load, client, bytes, size);
        return 0;
    }
    client->phase = (client->phase + size) % answer_size;
    load->result->yes += answers;
    return 0;
}

static int serve_client(struct load *load, struct client *client)
{
    static uint8_t bytes[RECEIVE_SIZE];
    ssize_t size;

    if (client->waits_for_room && send_unsent(load, client) != 0)
        return -1;
    size = recv(client->descriptor, bytes, sizeof(bytes), 0);
    if (size < 0 && errno == EAGAIN)
        return 0;
    if (size <= 0)
        return fail(load, "the server closed a connection");
    if (take_answers(load, client, bytes, (size_t)size) != 0)
        return -1;
    return ask(load, client);
}

/* Asks the questions up to end and waits for all their answers. */
static int ask_until(struct load *load, size_t end, size_t depth)
{
    struct epoll_event events[EVENTS_MAX];
    size_t goal = load->answered + (end - load->next);

    load->end = end;
    load->depth = depth;
    for (size_t i = 0; i < load->client_count; i++) {
        if (ask(load, &load->clients[i]) != 0)
            return -1;
    }
    while (load->answered < goal) {
        int count = epoll_wait(load->epoll, events, EVENTS_MAX, SILENCE_MS);

        if (count == 0)
            return fail(load, "no answer for ten seconds");
        for (int i = 0; i < count; i++) {
            if (serve_client(load, events[i].data.ptr) != 0)
                return -1;
        }
    }
    return 0;
}

static int connect_client(struct load *load, struct client *client)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", load->plan->path);
    client->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->descriptor < 0)
        return fail(load, strerror(errno));
    load->client_count++;
    /* Blocking, so that a full backlog is waited for. */
    if (connect(client->descriptor, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        fcntl(client->descriptor, F_SETFL, O_NONBLOCK) != 0 ||
        watch(load, client, EPOLL_CTL_ADD) != 0)
        return fail(load, strerror(errno));
    return 0;
}

static int open_load(struct load *load, const struct load_plan *plan)
{
    const struct framing *framing = plan->questions->framing;

    load->plan = plan;
    for (size_t i = 0; i < sizeof(load->yes); i++)
        load->yes[i] = framing->yes[i % framing->answer_size];
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->clients = calloc(plan->clients, sizeof(*load->clients));
    load->batches = calloc(plan->clients * plan->depth, sizeof(*load->batches));
    if (load->epoll < 0 || load->clients == NULL || load->batches == NULL)
        return fail(load, "memory is short");
    for (size_t i = 0; i < plan->clients; i++) {
        load->clients[i].batches = load->batches + i * plan->depth;
        if (connect_client(load, &load->clients[i]) != 0)
            return -1;
    }
    return 0;
}

static void close_load(struct load *load)
{
    for (size_t i = 0; i < load->client_count; i++)
        close(load->clients[i].descriptor);
    if (load->epoll >= 0)
        close(load->epoll);
    free(load->clients);
    free(load->batches);
    free(load);
}

/* The clock of the CPU time of the process that listens. */
static int server_clock(const struct load *load, clockid_t *clock_r)
{
    struct ucred server;
    socklen_t size = sizeof(server);

    if (getsockopt(load->clients[0].descriptor, SOL_SOCKET, SO_PEERCRED, &server, &size) != 0 ||
        clock_getcpuclockid(server.pid, clock_r) != 0)
        return fail(load, "the server's CPU time can't be read");
    return 0;
}

static int measure(struct load *load)
{
    int64_t began, server_began;
    clockid_t clock;

    if (ask_until(load, load->plan->clients, 1) != 0 || server_clock(load, &clock) != 0)
        return -1;
    *load->result = (struct load_result){0};
    server_began = clock_ns(clock);
    began = clock_ns(CLOCK_MONOTONIC);
    if (ask_until(load, load->plan->questions->count, load->plan->depth) != 0)
        return -1;
    load->result->seconds = (double)(clock_ns(CLOCK_MONOTONIC) - began) / 1e9;
    load->result->server_cpu = (double)(clock_ns(clock) - server_began) / 1e9;
    return 0;
}

/* Every client takes its leave, and nothing may come after the last answer but the end. */
static int end_clients(struct load *load)
{
    for (size_t i = 0; i < load->client_count; i++) {
        int descriptor = load->clients[i].descriptor;
        char byte;

        if (fcntl(descriptor, F_SETFL, 0) != 0 || shutdown(descriptor, SHUT_WR) != 0 ||
            recv(descriptor, &byte, 1, 0) != 0)
            return fail(load, "a connection did not end with its last answer");
    }
    return 0;
}

int load_run(const struct load_plan *plan, struct load_result *result_r)
{
    struct load *load = calloc(1, sizeof(*load));
    int result = -1;

    if (load == NULL)
        return -1;
    load->result = result_r;
    if (open_load(load, plan) == 0 && measure(load) == 0)
        result = end_clients(load);
    close_load(load);
    return result;
}
