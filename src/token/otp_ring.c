#include "token/otp_ring.h"

void otp_ring_init(struct otp_ring *ring, uint32_t *otps, size_t capacity)
{
    *ring = (struct otp_ring){.otps = otps, .capacity = capacity};
}

static int fill(struct otp_ring *ring, int64_t first, int64_t end, otp_function *compute,
                void *context)
{
    for (int64_t step = first; step < end; step++) {
        if (compute(context, step, &ring->otps[(uint64_t)step & (ring->capacity - 1)]) != 0)
            return -1;
    }
    return 0;
}

int otp_ring_move(struct otp_ring *ring, int64_t first, size_t count, otp_function *compute,
                  void *context)
{
    int64_t end = first + (int64_t)count;
    int64_t kept_first = ring->first > first ? ring->first : first;
    int64_t kept_end = ring->end < end ? ring->end : end;

    if (ring->first == first && ring->end == end)
        return 0;
    if (kept_first >= kept_end)
        kept_first = kept_end = first;
    /* Empty until done: a failure half-way must not leave steps that were never computed. */
    ring->first = ring->end = 0;
    if (fill(ring, first, kept_first, compute, context) != 0 ||
        fill(ring, kept_end, end, compute, context) != 0)
        return -1;
    ring->first = first;
    ring->end = end;
    return 0;
}
