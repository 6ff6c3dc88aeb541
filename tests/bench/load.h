/*
 * The load: many clients in one thread that keep questions on their way to a server and count its
 * answers. It costs as little as it can, so that the server is what is measured: what it sends lies
 * ready in memory, and a batch is one send() and one receive().
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "latency.h"
#include "questions.h"

struct load_plan {
    const char *path;                     /* of the server's Unix socket */
    const struct question_set *questions; /* more than clients */
    size_t clients;
    size_t depth; /* questions that a client has unanswered at a time; 1 is ping-pong */
    double rate;  /* questions a second, at moments fixed beforehand (open_load.h), depth being the
                     most that a client may have unanswered; 0: as soon as there are answers */
};

struct load_result {
    uint64_t yes;      /* measured answers that said yes */
    uint64_t other;    /* measured answers that said anything else */
    double seconds;    /* from the first measured question to the last answer */
    double server_cpu; /* seconds of CPU that the server's process used meanwhile */
    struct latency latency;
    struct latency lateness; /* with a rate: how long after its moment each question was sent */
};

/*
 * Connects the clients, asks one question by each so that all are accepted, then measures all the
 * other questions, each asked once. Returns 0, or -1 after saying on stderr what failed: a server
 * that closes, stays silent for ten seconds, or answers more than it was asked.
 */
__attribute__((warn_unused_result)) int load_run(const struct load_plan *plan,
                                                 struct load_result *result_r);

#endif
