/* How long answers took: counts in buckets that are 1/32 of their value wide, so that a quantile is
 * right to about 3%. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>

enum { LATENCY_STEPS = 32, LATENCY_BUCKETS = 40 * LATENCY_STEPS };

/* A zeroed one is empty. */
struct latency {
    uint64_t total;
    uint64_t counts[LATENCY_BUCKETS];
};

/* Adds count answers that took so many nanoseconds each. */
void latency_add(struct latency *latency, int64_t nanoseconds, uint64_t count);

/* The nanoseconds that a share (0 to 1) of the answers took at the most, rounded up; 0 for none. */
double latency_quantile(const struct latency *latency, double share);

#endif
