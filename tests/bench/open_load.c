#include "open_load.h"

#include <math.h>
#include <sys/epoll.h>
#include <time.h>

enum { EVENTS_MAX = 64, REST_MS = 5 };

static const int64_t SILENCE_NS = (int64_t)CLIENTS_SILENCE_MS * 1000000;

struct schedule {
    uint64_t random; /* never 0 */
    double gap_ns;   /* the mean between two questions */
    double due_ns;   /* when the next one is due, on the monotonic clock */
    size_t asked;
    size_t count;
};

int open_load_prepare(const struct load *load)
{
    const struct load_plan *plan = load->plan;
    struct timespec rest = {.tv_nsec = REST_MS * 1000000L};

    if (plan->questions->count % plan->clients != 0)
        return clients_fail(load,
                            "the questions of an open load must be a multiple of its clients");
    nanosleep(&rest, NULL);
    return 0;
}

/* Marsaglia's xorshift, which is random enough for gaps. */
static double next_gap(struct schedule *schedule)
{
    uint64_t random = schedule->random;

    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    schedule->random = random;
    return -log(((double)(random >> 11) + 1) / 9007199254740993.0) * schedule->gap_ns;
}

/* The clients take turns. Each one's questions lie behind one another, because they may have to
 * wait for room in its socket together. */
static int ask_next(struct load *load, struct schedule *schedule)
{
    const struct question_set *questions = load->plan->questions;
    size_t clients = load->client_count;
    struct client *client = &load->clients[schedule->asked % clients];
    size_t number = clients + schedule->asked % clients * (schedule->count / clients) +
                    schedule->asked / clients;
    int64_t due = (int64_t)schedule->due_ns;

    if (client->batch_count == load->plan->depth)
        return clients_fail(load, "it can't keep up with the rate");
    schedule->asked++;
    schedule->due_ns += next_gap(schedule);
    if (clients_ask(load, client, questions->bytes + number * questions->framing->question_size, 1,
                    due) != 0)
        return -1;
    latency_add(&load->result->lateness, clients_clock(CLOCK_MONOTONIC) - due, 1);
    return 0;
}

static int ask_what_is_due(struct load *load, struct schedule *schedule)
{
    while (schedule->asked < schedule->count &&
           schedule->due_ns <= (double)clients_clock(CLOCK_MONOTONIC)) {
        if (ask_next(load, schedule) != 0)
            return -1;
    }
    return 0;
}

int open_load_ask(struct load *load)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t heard = clients_clock(CLOCK_MONOTONIC);
    struct schedule schedule = {.random = 88172645463325252,
                                .gap_ns = 1e9 / load->plan->rate,
                                .due_ns = (double)heard,
                                .count = load->plan->questions->count - load->client_count};
    size_t goal = load->answered + schedule.count;

    while (load->answered < goal) {
        int count;

        if (ask_what_is_due(load, &schedule) != 0)
            return -1;
        count = epoll_wait(load->epoll, events, EVENTS_MAX, 0);
        for (int i = 0; i < count; i++) {
            if (clients_serve(load, events[i].data.ptr) != 0)
                return -1;
        }
        if (count > 0)
            heard = clients_clock(CLOCK_MONOTONIC);
        else if (clients_clock(CLOCK_MONOTONIC) - heard > SILENCE_NS)
            return clients_fail(load, "no answer for ten seconds");
    }
    return 0;
}
