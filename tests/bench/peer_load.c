#include "peer_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_MAX = 256, RECEIVE_MAX = 16 * 1024, SILENCE_MS = 10 * 1000 };

struct client {
    int descriptor; /* -1: none at the moment */
    size_t held;    /* bytes received of an answer that is not whole */
    size_t unanswered;
    uint32_t *numbers; /* a ring of plan->depth: the questions asked, the oldest first */
    size_t oldest;
    uint8_t bytes[RECEIVE_MAX];
};

struct load {
    const struct peer_plan *plan;
    struct client *clients;
    uint32_t *numbers;
    int64_t *asked_ns; /* by a question's number; 0 for what is not asked or was answered */
    size_t *queue;     /* a ring of clients: those that the server had no room for yet */
    size_t queue_first;
    size_t queue_count;
    uint8_t *together; /* questions that are sent in one */
    int epoll;
    size_t depth;
    size_t next;
    size_t end;
    size_t answered;
    struct peer_result *result;
};

static int fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    return -1;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec time = {0};

    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int watch(struct load *load, struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    return epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->descriptor, &event) == 0
               ? 0
               : fail("a connection can't be watched");
}

/* 1 where the server has no room for a connection now. */
static int connect_client(struct load *load, struct client *client)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int outcome;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", load->plan->path);
    client->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client->descriptor < 0)
        return fail(strerror(errno));
    outcome = connect(client->descriptor, (struct sockaddr *)&address, sizeof(address));
    if (outcome == 0)
        return watch(load, client);
    outcome = errno == EAGAIN ? 1 : fail(strerror(errno));
    close(client->descriptor);
    client->descriptor = -1;
    return outcome;
}

/* All that a client has on its way fits into its socket's buffer: a short write is a failure. */
static int send_all(const struct client *client, const uint8_t *bytes, size_t size)
{
    return write(client->descriptor, bytes, size) == (ssize_t)size
               ? 0
               : fail("the server does not take a question");
}

static int send_asked(struct load *load, struct client *client)
{
    const struct peer_plan *plan = load->plan;
    size_t size = 0;

    for (size_t i = 0; i < client->unanswered; i++) {
        uint32_t number = client->numbers[(client->oldest + i) % plan->depth];

        if (load->asked_ns[number] != 0)
            continue; /* on its way already */
        memcpy(load->together + size, plan->questions + (size_t)number * DIALECT_QUESTION_MAX,
               plan->sizes[number]);
        size += plan->sizes[number];
        load->asked_ns[number] = clock_ns(CLOCK_MONOTONIC);
    }
    return send_all(client, load->together, size);
}

static void wait_for_room(struct load *load, struct client *client)
{
    load->queue[(load->queue_first + load->queue_count++) % load->plan->clients] =
        (size_t)(client - load->clients);
}

/* Sends on a connection of its own; 1 where there is no room for one. */
static int send_on_new_connection(struct load *load, struct client *client)
{
    uint32_t number = client->numbers[client->oldest];
    int outcome;

    if (load->asked_ns[number] == 0)
        load->asked_ns[number] = clock_ns(CLOCK_MONOTONIC);
    outcome = connect_client(load, client);
    if (outcome != 0)
        return outcome;
    return send_all(client, load->plan->questions + (size_t)number * DIALECT_QUESTION_MAX,
                    load->plan->sizes[number]);
}

/* Asks as many questions as the client may have unanswered. */
static int ask(struct load *load, struct client *client)
{
    size_t before = client->unanswered;
    int outcome;

    while (client->unanswered < load->depth && load->next < load->end)
        client->numbers[(client->oldest + client->unanswered++) % load->plan->depth] =
            (uint32_t)load->next++;
    if (client->unanswered == before)
        return 0;
    if (!load->plan->dialect->one_a_connection)
        return send_asked(load, client);
    outcome = send_on_new_connection(load, client);
    if (outcome == 1)
        wait_for_room(load, client);
    return outcome < 0 ? -1 : 0;
}

static int ask_of_queue(struct load *load)
{
    while (load->queue_count > 0) {
        int outcome = send_on_new_connection(load, &load->clients[load->queue[load->queue_first]]);

        if (outcome != 0)
            return outcome < 0 ? -1 : 0;
        load->queue_first = (load->queue_first + 1) % load->plan->clients;
        load->queue_count--;
    }
    return 0;
}

/* The place, from the oldest on, of the question that an answer is to; -1 for none. Numbered
 * answers may come in any order. */
static ssize_t find_asked(const struct load *load, const struct client *client,
                          const struct answer *answer)
{
    if (answer->number == 0)
        return client->unanswered > 0 ? 0 : -1;
    for (size_t i = 0; i < client->unanswered; i++) {
        if (client->numbers[(client->oldest + i) % load->plan->depth] == answer->number)
            return (ssize_t)i;
    }
    return -1;
}

static int take_answer(struct load *load, struct client *client, const struct answer *answer)
{
    ssize_t place = find_asked(load, client, answer);
    uint32_t *oldest = &client->numbers[client->oldest];
    uint32_t *asked;

    if (place < 0)
        return fail("an answer that nobody asked for");
    asked = &client->numbers[(client->oldest + (size_t)place) % load->plan->depth];
    latency_add(&load->result->latency, clock_ns(CLOCK_MONOTONIC) - load->asked_ns[*asked], 1);
    *asked = *oldest;
    client->oldest = (client->oldest + 1) % load->plan->depth;
    client->unanswered--;
    load->answered++;
    if (answer->kind == ANSWER_YES)
        load->result->yes++;
    else
        load->result->no++;
    return 0;
}

static int take_answers(struct load *load, struct client *client)
{
    size_t used = 0;

    while (used < client->held) {
        struct answer answer = {0};
        ssize_t size =
            load->plan->dialect->hear(client->bytes + used, client->held - used, &answer);

        if (size < 0)
            return fail("something that is no answer");
        if (size == 0)
            break;
        if (answer.kind != ANSWER_NONE && take_answer(load, client, &answer) != 0)
            return -1;
        used += (size_t)size;
    }
    memmove(client->bytes, client->bytes + used, client->held - used);
    client->held -= used;
    return 0;
}

static int serve_client(struct load *load, struct client *client)
{
    ssize_t size = read(client->descriptor, client->bytes + client->held,
                        sizeof(client->bytes) - client->held);

    if (size < 0 && errno == EAGAIN)
        return 0;
    if (size <= 0)
        return fail("the server closed a connection");
    client->held += (size_t)size;
    if (take_answers(load, client) != 0)
        return -1;
    if (load->plan->dialect->one_a_connection) {
        if (client->unanswered > 0)
            return 0; /* half an answer */
        close(client->descriptor);
        client->descriptor = -1;
    }
    return ask(load, client);
}

static int ask_until(struct load *load, size_t end, size_t depth)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t heard = clock_ns(CLOCK_MONOTONIC);
    size_t goal = load->answered + (end - load->next);

    load->end = end;
    load->depth = depth;
    for (size_t i = 0; i < load->plan->clients; i++) {
        if (ask(load, &load->clients[i]) != 0)
            return -1;
    }
    while (load->answered < goal) {
        int count =
            epoll_wait(load->epoll, events, EVENTS_MAX, load->queue_count > 0 ? 1 : SILENCE_MS);

        for (int i = 0; i < count; i++) {
            if (serve_client(load, events[i].data.ptr) != 0)
                return -1;
        }
        if (count > 0)
            heard = clock_ns(CLOCK_MONOTONIC);
        else if (clock_ns(CLOCK_MONOTONIC) - heard > (int64_t)SILENCE_MS * 900000)
            return fail("no answer for ten seconds");
        if (ask_of_queue(load) != 0)
            return -1;
    }
    return 0;
}

/* The way to the server; -1 after saying what failed. */
static int open_client(struct load *load, size_t index)
{
    const struct peer_plan *plan = load->plan;
    struct client *client = &load->clients[index];
    uint8_t greeting[DIALECT_QUESTION_MAX];

    if (plan->dialect->one_a_connection)
        return 0;
    if (plan->path == NULL) {
        client->descriptor = plan->descriptors[index];
        if (fcntl(client->descriptor, F_SETFL, O_NONBLOCK) != 0 || watch(load, client) != 0)
            return -1;
    } else if (connect_client(load, client) != 0) {
        return fail("the server has no room for as many connections");
    }
    if (plan->dialect->greet == NULL)
        return 0;
    return send_all(client, greeting, plan->dialect->greet(greeting, index));
}

static int open_load(struct load *load)
{
    const struct peer_plan *plan = load->plan;

    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->clients = calloc(plan->clients, sizeof(*load->clients));
    load->numbers = calloc(plan->clients * plan->depth, sizeof(*load->numbers));
    load->queue = calloc(plan->clients, sizeof(*load->queue));
    load->asked_ns = calloc(plan->question_count, sizeof(*load->asked_ns));
    load->together = malloc(plan->depth * DIALECT_QUESTION_MAX);
    if (load->epoll < 0 || load->clients == NULL || load->numbers == NULL || load->queue == NULL ||
        load->asked_ns == NULL || load->together == NULL)
        return fail("memory is short");
    for (size_t i = 0; i < plan->clients; i++) {
        load->clients[i].descriptor = -1;
        load->clients[i].numbers = load->numbers + i * plan->depth;
    }
    for (size_t i = 0; i < plan->clients; i++) {
        if (open_client(load, i) != 0)
            return -1;
    }
    return 0;
}

static void close_load(struct load *load)
{
    for (size_t i = 0; load->clients != NULL && i < load->plan->clients; i++) {
        if (load->clients[i].descriptor >= 0)
            close(load->clients[i].descriptor);
    }
    if (load->epoll >= 0)
        close(load->epoll);
    free(load->clients);
    free(load->numbers);
    free(load->queue);
    free(load->asked_ns);
    free(load->together);
}

/* Nanoseconds of CPU that the server's processes have used so far. */
static int64_t server_cpu(const struct peer_plan *plan)
{
    int64_t sum = 0;

    for (size_t i = 0; i < plan->process_count; i++) {
        clockid_t clock;

        if (clock_getcpuclockid(plan->processes[i], &clock) == 0)
            sum += clock_ns(clock);
    }
    return sum;
}

static int measure(struct load *load)
{
    int64_t began, server_began;

    /* Questions have numbers from 1 on. */
    load->next = 1;
    if (ask_until(load, 1 + load->plan->clients, 1) != 0)
        return -1;
    *load->result = (struct peer_result){0};
    server_began = server_cpu(load->plan);
    began = clock_ns(CLOCK_MONOTONIC);
    if (ask_until(load, load->plan->question_count, load->plan->depth) != 0)
        return -1;
    load->result->seconds = (double)(clock_ns(CLOCK_MONOTONIC) - began) / 1e9;
    load->result->server_cpu = (double)(server_cpu(load->plan) - server_began) / 1e9;
    return 0;
}

int peer_load_run(const struct peer_plan *plan, struct peer_result *result_r)
{
    struct load load = {.plan = plan, .result = result_r, .epoll = -1};
    int outcome = open_load(&load);

    if (outcome == 0)
        outcome = measure(&load);
    close_load(&load);
    return outcome;
}
