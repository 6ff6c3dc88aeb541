#include "latency.h"

/* Values below LATENCY_STEPS have a bucket each; above, every doubling is cut into LATENCY_STEPS.
 */
static unsigned bucket_of(uint64_t value)
{
    unsigned doublings = 0;
    unsigned bucket;

    while (value >= UINT64_C(2) * LATENCY_STEPS) {
        value >>= 1;
        doublings++;
    }
    bucket = doublings * LATENCY_STEPS + (unsigned)value;
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

static double upper_bound_of(unsigned bucket)
{
    unsigned doublings = bucket < 2 * LATENCY_STEPS ? 0 : bucket / LATENCY_STEPS - 1;

    return (double)((uint64_t)(bucket - doublings * LATENCY_STEPS + 1) << doublings);
}

void latency_add(struct latency *latency, int64_t nanoseconds, uint64_t count)
{
    latency->total += count;
    latency->counts[bucket_of(nanoseconds < 0 ? 0 : (uint64_t)nanoseconds)] += count;
}

double latency_quantile(const struct latency *latency, double share)
{
    double wanted = share * (double)latency->total;
    uint64_t seen = 0;

    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->counts[i];
        if (seen > 0 && (double)seen >= wanted)
            return upper_bound_of(i);
    }
    return 0;
}
