/*
 * The clients of a load: their connections to the server under test, what each has asked and not
 * yet been answered, and the count of the answers. What to ask when is load.c's and open_load.c's.
 */
#ifndef BENCH_CLIENTS_H
#define BENCH_CLIENTS_H

#include <stdbool.h>

#include "load.h"

enum { CLIENTS_RECEIVE_SIZE = 64 * 1024, CLIENTS_SILENCE_MS = 10 * 1000 };

/* Questions asked together, whose latency counts from the same moment. */
struct batch {
    int64_t from_ns;
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
    uint8_t yes[CLIENTS_RECEIVE_SIZE + 8]; /* nothing but yes, to compare with at once */
};

/* Says on stderr what is wrong with the server; -1. */
int clients_fail(const struct load *load, const char *what);

int64_t clients_clock(clockid_t clock); /* nanoseconds */

/* Connects plan->clients to the server. 0, or -1 after saying what failed; clients_close() is due
 * in either case. */
__attribute__((warn_unused_result)) int clients_open(struct load *load,
                                                     const struct load_plan *plan);

/* Frees the load and all that it has. */
void clients_close(struct load *load);

/* Asks count questions (1 or more) that lie at bytes, one behind the other, and behind what the
 * client still has to send; there must be room for another batch. -1 where the server is gone. */
__attribute__((warn_unused_result)) int clients_ask(struct load *load, struct client *client,
                                                    const uint8_t *bytes, size_t count,
                                                    int64_t from_ns);

/* Sends and receives what a client's socket is ready for, and counts the answers. -1 after saying
 * what failed: the server closed, or answered what nobody asked. */
__attribute__((warn_unused_result)) int clients_serve(struct load *load, struct client *client);

/* Every client takes its leave, and nothing may come after the last answer but the end; else -1. */
__attribute__((warn_unused_result)) int clients_end(struct load *load);

/* The clock of the CPU time of the process that listens; -1 where it can't be read. */
__attribute__((warn_unused_result)) int clients_server_clock(const struct load *load,
                                                             clockid_t *clock_r);

#endif
