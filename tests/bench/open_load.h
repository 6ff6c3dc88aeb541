/*
 * An open load: questions come at moments that were fixed beforehand, whether the last ones are
 * answered or not, as people's logins do. A client that waits for its answer before it asks again
 * asks a slow server less, and so never sees most of the slowness; here it is all in the latency,
 * which counts from the moment that was fixed.
 *
 * The moments are a Poisson process of plan->rate a second, the same for every server and run.
 */
#ifndef BENCH_OPEN_LOAD_H
#define BENCH_OPEN_LOAD_H

#include "clients.h"

/* Rests for a moment, so that what else the processor has to do is done. 0, or -1 after saying
 * that the questions can't be shared out evenly. */
__attribute__((warn_unused_result)) int open_load_prepare(const struct load *load);

/* Asks all questions but each client's first, and waits for the answers; without sleeping, so that
 * no waking up is in the latency. -1 after saying what failed. */
__attribute__((warn_unused_result)) int open_load_ask(struct load *load);

#endif
