#include "clients.h"

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

int clients_fail(const struct load *load, const char *what)
{
    fprintf(stderr, "%s: %s\n", load->plan->path, what);
    return -1;
}

int64_t clients_clock(clockid_t clock)
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
        return clients_fail(load, "the server does not read any more");
    client->unsent += sent > 0 ? sent : 0;
    client->waits_for_room = client->unsent < client->unsent_end;
    return client->waits_for_room == waited ? 0 : watch(load, client, EPOLL_CTL_MOD);
}

int clients_ask(struct load *load, struct client *client, const uint8_t *bytes, size_t count,
                int64_t from_ns)
{
    if (!client->waits_for_room)
        client->unsent = bytes;
    client->unsent_end = bytes + count * load->plan->questions->framing->question_size;
    client->unanswered += count;
    client->batches[(client->oldest + client->batch_count++) % load->plan->depth] =
        (struct batch){.from_ns = from_ns, .unanswered = count};
    return client->waits_for_room ? 0 : send_unsent(load, client);
}

static void note_latency(struct load *load, struct client *client, size_t answers)
{
    int64_t now = clients_clock(CLOCK_MONOTONIC);

    while (answers > 0) {
        struct batch *batch = &client->batches[client->oldest];
        size_t count = answers < batch->unanswered ? answers : batch->unanswered;

        latency_add(&load->result->latency, now - batch->from_ns, count);
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
        return clients_fail(load, "answers that nobody asked for");
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

int clients_serve(struct load *load, struct client *client)
{
    static uint8_t bytes[CLIENTS_RECEIVE_SIZE];
    ssize_t size;

    if (client->waits_for_room && send_unsent(load, client) != 0)
        return -1;
    size = recv(client->descriptor, bytes, sizeof(bytes), 0);
    if (size < 0 && errno == EAGAIN)
        return 0;
    if (size <= 0)
        return clients_fail(load, "the server closed a connection");
    return take_answers(load, client, bytes, (size_t)size);
}

static int connect_client(struct load *load, struct client *client)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", load->plan->path);
    client->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->descriptor < 0)
        return clients_fail(load, strerror(errno));
    load->client_count++;
    /* Blocking, so that a full backlog is waited for. */
    if (connect(client->descriptor, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        fcntl(client->descriptor, F_SETFL, O_NONBLOCK) != 0 ||
        watch(load, client, EPOLL_CTL_ADD) != 0)
        return clients_fail(load, strerror(errno));
    return 0;
}

int clients_open(struct load *load, const struct load_plan *plan)
{
    const struct framing *framing = plan->questions->framing;

    load->plan = plan;
    for (size_t i = 0; i < sizeof(load->yes); i++)
        load->yes[i] = framing->yes[i % framing->answer_size];
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->clients = calloc(plan->clients, sizeof(*load->clients));
    load->batches = calloc(plan->clients * plan->depth, sizeof(*load->batches));
    if (load->epoll < 0 || load->clients == NULL || load->batches == NULL)
        return clients_fail(load, "memory is short");
    for (size_t i = 0; i < plan->clients; i++) {
        load->clients[i].batches = load->batches + i * plan->depth;
        if (connect_client(load, &load->clients[i]) != 0)
            return -1;
    }
    return 0;
}

void clients_close(struct load *load)
{
    for (size_t i = 0; i < load->client_count; i++)
        close(load->clients[i].descriptor);
    if (load->epoll >= 0)
        close(load->epoll);
    free(load->clients);
    free(load->batches);
    free(load);
}

int clients_server_clock(const struct load *load, clockid_t *clock_r)
{
    struct ucred server;
    socklen_t size = sizeof(server);

    if (getsockopt(load->clients[0].descriptor, SOL_SOCKET, SO_PEERCRED, &server, &size) != 0 ||
        clock_getcpuclockid(server.pid, clock_r) != 0)
        return clients_fail(load, "the server's CPU time can't be read");
    return 0;
}

int clients_end(struct load *load)
{
    for (size_t i = 0; i < load->client_count; i++) {
        int descriptor = load->clients[i].descriptor;
        char byte;

        if (fcntl(descriptor, F_SETFL, 0) != 0 || shutdown(descriptor, SHUT_WR) != 0 ||
            recv(descriptor, &byte, 1, 0) != 0)
            return clients_fail(load, "a connection did not end with its last answer");
    }
    return 0;
}
