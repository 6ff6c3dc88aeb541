#include "store/closed_time.h"

#include <string.h>

/* The first stretch that ends at or after a moment. */
static size_t first_ending_from(const struct closed_time *closed, int64_t moment)
{
    size_t low = 0;
    size_t high = closed->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (closed->stretches[middle].end < moment)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remove_stretches(struct closed_time *closed, size_t first, size_t count)
{
    memmove(&closed->stretches[first], &closed->stretches[first + count],
            (closed->count - first - count) * sizeof(struct stretch));
    closed->count -= count;
}

/* Refuses more than it must rather than less: closes the shortest open time between two stretches.
 */
static void join_nearest(struct closed_time *closed)
{
    size_t nearest = 0;

    for (size_t i = 0; i + 1 < closed->count; i++) {
        if (closed->stretches[i + 1].begin - closed->stretches[i].end <
            closed->stretches[nearest + 1].begin - closed->stretches[nearest].end)
            nearest = i;
    }
    closed->stretches[nearest].end = closed->stretches[nearest + 1].end;
    remove_stretches(closed, nearest + 1, 1);
}

void closed_time_add(struct closed_time *closed, struct stretch stretch)
{
    size_t at = first_ending_from(closed, stretch.begin);
    size_t after = at;

    while (after < closed->count && closed->stretches[after].begin <= stretch.end) {
        if (closed->stretches[after].begin < stretch.begin)
            stretch.begin = closed->stretches[after].begin;
        if (closed->stretches[after].end > stretch.end)
            stretch.end = closed->stretches[after].end;
        after++;
    }
    if (after > at) {
        closed->stretches[at] = stretch;
        remove_stretches(closed, at + 1, after - at - 1);
        return;
    }
    memmove(&closed->stretches[at + 1], &closed->stretches[at],
            (closed->count - at) * sizeof(struct stretch));
    closed->stretches[at] = stretch;
    if (++closed->count > CLOSED_STRETCHES_MAX)
        join_nearest(closed);
}

bool closed_time_touches(const struct closed_time *closed, struct stretch stretch)
{
    size_t at = first_ending_from(closed, stretch.begin + 1);

    return at < closed->count && closed->stretches[at].begin < stretch.end;
}
