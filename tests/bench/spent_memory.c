/*
 * What spent tokens cost in memory, in a process of its own:
 *
 *     spent-memory COUNT
 *
 * prints bytes a token after COUNT tokens of one time step, by the index's own count and by the
 * growth of resident memory, and the worst that the index counted on the way from 1,000 on.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "resident.h"
#include "store/replay_index.h"

enum { FIRST_JUDGED = 1000 };

/* SplitMix64: even bits, as those of a signature are. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t value = *state += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

/* Spends count tokens; the worst bytes a token on the way, or -1 where one could not be spent. */
static double spend_all(struct replay_index *index, uint64_t count, uint64_t *random)
{
    struct moment now = moment_now();
    int64_t step = moment_seconds(now) / 30;
    double worst = 0;

    for (uint64_t i = 1; i <= count; i++) {
        struct spend spend = {.first_step = step, .filing_step = step, .interval = 30, .window = 1};
        double bytes;

        spend.id.low = next_random(random);
        spend.id.high = next_random(random);
        if (replay_index_spend(index, &spend, now) != SPEND_FRESH)
            return -1;
        bytes = (double)replay_index_usage(index).memory / (double)i;
        if (i >= FIRST_JUDGED && bytes > worst)
            worst = bytes;
    }
    return worst;
}

int main(int argc, char **argv)
{
    uint64_t count = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    struct replay_index *index = replay_index_create();
    uint64_t random = 1;
    int64_t before;
    double worst;

    if (count == 0 || index == NULL) {
        fputs("usage: spent-memory COUNT\n", stderr);
        return 2;
    }
    /* The first of each brings in code and tables that are no token's. */
    if (resident_bytes() < 0 || spend_all(index, 1, &random) < 0)
        return EXIT_FAILURE;
    before = resident_bytes();
    worst = spend_all(index, count, &random);
    if (before < 0 || worst < 0) {
        fputs("the tokens could not be spent, or resident memory not be read\n", stderr);
        return EXIT_FAILURE;
    }
    printf("tokens=%" PRIu64 " index_bytes=%.1f resident_bytes=%.1f worst_index_bytes=%.1f\n",
           count, (double)replay_index_usage(index).memory / (double)count,
           (double)(resident_bytes() - before) / (double)count, worst);
    replay_index_destroy(&index);
    return EXIT_SUCCESS;
}
