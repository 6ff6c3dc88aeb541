/*
 * The load on the daemon's peers, and on the daemon where it is compared with them: clients in one
 * thread that ask in any dialect, over a Unix socket or over descriptors that lead to programs'
 * standard input and output.
 */
#ifndef BENCH_PEER_LOAD_H
#define BENCH_PEER_LOAD_H

#include "dialects.h"
#include "latency.h"

struct peer_plan {
    const struct dialect *dialect;
    const char *path;         /* of the server's Unix socket; NULL where descriptors are given */
    const int *descriptors;   /* one for each client */
    const uint8_t *questions; /* question_count of them, DIALECT_QUESTION_MAX bytes apart */
    const size_t *sizes;
    size_t question_count; /* each client's first is not measured */
    size_t clients;
    size_t depth;           /* questions that a client has unanswered at a time */
    const pid_t *processes; /* whose CPU time is the server's */
    size_t process_count;
};

struct peer_result {
    uint64_t yes;
    uint64_t no;
    double seconds;
    double server_cpu;
    struct latency latency;
};

/* Asks all questions and waits for their answers. 0, or -1 after saying on stderr what failed: a
 * server that closes, is silent for ten seconds, or answers what was not asked. */
__attribute__((warn_unused_result)) int peer_load_run(const struct peer_plan *plan,
                                                      struct peer_result *result_r);

#endif
