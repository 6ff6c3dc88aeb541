#include "token/otp_ring.h"

uint32_t otp_ring_capacity(uint32_t count)
{
    uint32_t capacity = 1;

    while (capacity < count)
        capacity *= 2;
    return capacity;
}

void otp_ring_init(struct otp_ring *ring, uint32_t *otps, uint32_t capacity)
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

int otp_ring_move(struct otp_ring *ring, int64_t first, uint32_t count, otp_function *compute,
                  void *context)
{
    int64_t end = first + count;
    int64_t kept_first = ring->first > first ? ring->first : first;
    int64_t kept_end = otp_ring_end(ring) < end ? otp_ring_end(ring) : end;

    if (ring->first == first && ring->count == count)
        return 0;
    if (kept_first >= kept_end)
        kept_first = kept_end = first;
    /* Empty until done: a failure half-way must not leave steps that were never computed. */
    ring->count = 0;
    if (fill(ring, first, kept_first, compute, context) != 0 ||
        fill(ring, kept_end, end, compute, context) != 0)
        return -1;
    ring->first = first;
    ring->count = count;
    return 0;
}
