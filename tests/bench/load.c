#include "load.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include "clients.h"
#include "open_load.h"

enum { EVENTS_MAX = 1024 };

/* Asks as many questions as the client may have unanswered. */
static int ask(struct load *load, struct client *client)
{
    const struct question_set *questions = load->plan->questions;
    size_t count = load->depth - client->unanswered;
    const uint8_t *bytes = questions->bytes + load->next * questions->framing->question_size;

    if (count > load->end - load->next)
        count = load->end - load->next;
    if (count == 0 || client->waits_for_room)
        return 0;
    load->next += count;
    return clients_ask(load, client, bytes, count, clients_clock(CLOCK_MONOTONIC));
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
        int count = epoll_wait(load->epoll, events, EVENTS_MAX, CLIENTS_SILENCE_MS);

        if (count == 0)
            return clients_fail(load, "no answer for ten seconds");
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;

            if (clients_serve(load, client) != 0 || ask(load, client) != 0)
                return -1;
        }
    }
    return 0;
}

static int measure(struct load *load)
{
    int64_t began, server_began;
    clockid_t clock;
    int outcome;

    if (ask_until(load, load->plan->clients, 1) != 0 || clients_server_clock(load, &clock) != 0 ||
        (load->plan->rate > 0 && open_load_prepare(load) != 0))
        return -1;
    *load->result = (struct load_result){0};
    server_began = clients_clock(clock);
    began = clients_clock(CLOCK_MONOTONIC);
    outcome = load->plan->rate > 0
                  ? open_load_ask(load)
                  : ask_until(load, load->plan->questions->count, load->plan->depth);
    load->result->seconds = (double)(clients_clock(CLOCK_MONOTONIC) - began) / 1e9;
    load->result->server_cpu = (double)(clients_clock(clock) - server_began) / 1e9;
    return outcome;
}

int load_run(const struct load_plan *plan, struct load_result *result_r)
{
    struct load *load = calloc(1, sizeof(*load));
    int result = -1;

    if (load == NULL)
        return -1;
    load->result = result_r;
    if (clients_open(load, plan) == 0 && measure(load) == 0)
        result = clients_end(load);
    clients_close(load);
    return result;
}
