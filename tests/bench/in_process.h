/*
 * The daemon's judging without its sockets: framed questions in, answers out, in turns of 64, the
 * clocks read once a turn as in a busy event loop; and the CPU time that takes.
 */
#ifndef BENCH_IN_PROCESS_H
#define BENCH_IN_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "config/config.h"
#include "daemon/answers.h"
#include "daemon/authority.h"
#include "questions.h"

struct judging {
    struct authority authority;
    struct config *config; /* owned */
    struct accounts *accounts;
    struct place_pool pool;
    struct answers answers;
    const struct framing *framing;
};

/*
 * An authority over a configuration file, with live tokens of others spent already. 0, or -1 after
 * saying on stderr what failed. Released with judging_end(). The file with the most secrets comes
 * first: memory for them is set aside once.
 */
__attribute__((warn_unused_result)) int judging_begin(struct judging *judging, const char *path,
                                                      const struct framing *framing, size_t live);

void judging_end(struct judging *judging);

/*
 * Judges count framed questions that stand one behind the other, size bytes each. Returns the CPU
 * nanoseconds a question, and in *yes_r how many answers were yes; -1 where one is missing.
 */
double judging_cost(struct judging *judging, const uint8_t *frames, size_t size, size_t count,
                    size_t *yes_r);

/* This thread's CPU time. */
double cpu_ns(void);

/* Sorts the values; their median. */
double median(double *values, size_t count);

#endif
