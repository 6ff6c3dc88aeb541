#include "token/otp_calendar.h"

#include <stdlib.h>

#define NONE UINT32_MAX

/* The ring's places, chained by OTP: a place is a step's index in the ring, and stays the same
 * while the step is in it. */
struct otp_calendar {
    size_t reach;
    int64_t centre;
    size_t bucket_count; /* a power of two */
    uint32_t *buckets;   /* first place of each chain, or NONE */
    uint32_t *next;      /* the place after each place, or NONE */
    struct otp_ring ring;
};

struct otp_calendar *otp_calendar_create(size_t reach)
{
    struct otp_calendar *calendar = calloc(1, sizeof(*calendar));
    uint32_t capacity = otp_ring_capacity(2 * (uint32_t)reach + 1);

    if (calendar == NULL)
        return NULL;
    calendar->reach = reach;
    calendar->bucket_count = capacity;
    calendar->buckets = malloc(capacity * sizeof(*calendar->buckets));
    calendar->next = malloc(capacity * sizeof(*calendar->next));
    otp_ring_init(&calendar->ring, malloc(capacity * sizeof(uint32_t)), capacity);
    if (calendar->buckets == NULL || calendar->next == NULL || calendar->ring.otps == NULL)
        otp_calendar_destroy(&calendar);
    return calendar;
}

void otp_calendar_destroy(struct otp_calendar **calendar)
{
    if (*calendar == NULL)
        return;
    free((*calendar)->buckets);
    free((*calendar)->next);
    free((*calendar)->ring.otps);
    free(*calendar);
    *calendar = NULL;
}

/* OTPs are decimal: their low bits are even enough only after mixing (Fibonacci hashing). */
static uint32_t *bucket_of(const struct otp_calendar *calendar, uint32_t otp)
{
    return &calendar->buckets[(otp * UINT32_C(2654435769) >> 7) & (calendar->bucket_count - 1)];
}

static void chain_all(struct otp_calendar *calendar)
{
    for (size_t i = 0; i < calendar->bucket_count; i++)
        calendar->buckets[i] = NONE;
    for (int64_t step = calendar->ring.first; step < otp_ring_end(&calendar->ring); step++) {
        uint32_t place = (uint32_t)((uint64_t)step & (calendar->ring.capacity - 1));
        uint32_t *bucket = bucket_of(calendar, otp_ring_at(&calendar->ring, step));

        calendar->next[place] = *bucket;
        *bucket = place;
    }
}

/* To reach so far to either side, no further than it is meant to. */
static int move_to(struct otp_calendar *calendar, int64_t centre, size_t reach,
                   otp_function *compute, void *context)
{
    int64_t first = centre - (int64_t)reach;
    uint32_t count = (uint32_t)(2 * reach + 1);

    if (calendar->ring.first == first && calendar->ring.count == count)
        return 0;
    calendar->centre = centre;
    if (otp_ring_move(&calendar->ring, first, count, compute, context) != 0)
        return -1;
    chain_all(calendar);
    return 0;
}

int otp_calendar_move(struct otp_calendar *calendar, int64_t centre, otp_function *compute,
                      void *context)
{
    return move_to(calendar, centre, calendar->reach, compute, context);
}

static int64_t held(const struct otp_calendar *calendar)
{
    return calendar->ring.count;
}

/* How far it can reach from there for so many OTPs, which suffice for the way if what it holds counts;
 * -1: nowhere. To go on costs the way, and two for each step that it reaches further. */
static int64_t affordable_reach(const struct otp_calendar *calendar, int64_t distance,
                                int64_t otps_max)
{
    int64_t reach;

    if (distance < held(calendar))
        reach = (held(calendar) - 1) / 2 + (otps_max - distance) / 2;
    else
        reach = otps_max > 0 ? (otps_max - 1) / 2 : -1;
    return reach < (int64_t)calendar->reach ? reach : (int64_t)calendar->reach;
}

/* How many of the steps first .. end - 1 it holds. */
static int64_t overlap(const struct otp_calendar *calendar, int64_t first, int64_t end)
{
    int64_t from = first > calendar->ring.first ? first : calendar->ring.first;
    int64_t to = end < otp_ring_end(&calendar->ring) ? end : otp_ring_end(&calendar->ring);

    return to > from ? to - from : 0;
}

int otp_calendar_approach(struct otp_calendar *calendar, int64_t centre, int64_t *otps_max,
                          otp_function *compute, void *context)
{
    int64_t distance = llabs(centre - calendar->centre);
    int64_t first = calendar->ring.first;
    int64_t end = otp_ring_end(&calendar->ring);
    int64_t reach;

    if (distance < held(calendar) && distance > *otps_max) {
        /* As much of the way as can be paid: what it holds is worth more than that. */
        centre = calendar->centre + (centre < calendar->centre ? -*otps_max : *otps_max);
        *otps_max = 0;
        (void)move_to(calendar, centre, (size_t)(held(calendar) - 1) / 2, compute, context);
        return -1;
    }
    reach = affordable_reach(calendar, distance, *otps_max);
    if (reach < 0 || move_to(calendar, centre, (size_t)reach, compute, context) != 0)
        return -1;
    *otps_max -= held(calendar) - overlap(calendar, first, end);
    return 0;
}

bool otp_calendar_is_whole(const struct otp_calendar *calendar)
{
    return held(calendar) == 2 * (int64_t)calendar->reach + 1;
}

size_t otp_calendar_memory(const struct otp_calendar *calendar)
{
    return sizeof(*calendar) + calendar->bucket_count * 3 * sizeof(uint32_t);
}

static int64_t step_at(const struct otp_calendar *calendar, uint32_t place)
{
    uint64_t mask = calendar->ring.capacity - 1;
    uint64_t ahead = (place - (uint64_t)calendar->ring.first) & mask;

    return calendar->ring.first + (int64_t)ahead;
}

bool otp_calendar_find(const struct otp_calendar *calendar, uint32_t otp, int64_t *step_r)
{
    int64_t nearest = INT64_MAX;

    if (calendar->ring.first == otp_ring_end(&calendar->ring))
        return false;
    for (uint32_t place = *bucket_of(calendar, otp); place != NONE; place = calendar->next[place]) {
        int64_t step = step_at(calendar, place);
        int64_t distance = step - calendar->centre;

        if (calendar->ring.otps[place] != otp)
            continue;
        if (nearest == INT64_MAX || llabs(distance) < llabs(nearest) ||
            (llabs(distance) == llabs(nearest) && distance < nearest))
            nearest = distance;
    }
    if (nearest == INT64_MAX)
        return false;
    *step_r = calendar->centre + nearest;
    return true;
}
