/*
 * The one-time passwords of a stretch of consecutive time steps, each computed once. The stretch is
 * moved along with the clock: only the steps that are new in it cost an HMAC. An OTP depends on key
 * and step, not on the user, so the few that are acceptable now serve every login.
 */
#ifndef TOKEN_OTP_RING_H
#define TOKEN_OTP_RING_H

#include <stddef.h>
#include <stdint.h>

/* Gives the OTP of a step: 0 and *otp_r, or -1. Called with the context handed to otp_ring_move().
 */
typedef int otp_function(void *context, int64_t step, uint32_t *otp_r);

struct otp_ring {
    uint32_t *otps; /* the OTP of step s stands at s & (capacity - 1) */
    int64_t first;  /* the steps first .. otp_ring_end() - 1 are there */
    uint32_t count;
    uint32_t capacity; /* a power of two */
};

/* The least capacity that count steps fit, count being 1 to 2^31. */
uint32_t otp_ring_capacity(uint32_t count);

/* An empty ring over otps, which holds capacity values (a power of two), is borrowed, and must
 * outlive it. */
void otp_ring_init(struct otp_ring *ring, uint32_t *otps, uint32_t capacity);

/* The step behind the last that the ring holds. */
static inline int64_t otp_ring_end(const struct otp_ring *ring)
{
    return ring->first + ring->count;
}

/*
 * Makes the ring hold exactly count steps from first on (1 <= count <= capacity), keeping what it
 * already has. Returns 0, or -1 where compute fails; the ring is empty then.
 */
__attribute__((warn_unused_result)) int otp_ring_move(struct otp_ring *ring, int64_t first,
                                                      uint32_t count, otp_function *compute,
                                                      void *context);

/* The OTP of a step that the ring holds. */
static inline uint32_t otp_ring_at(const struct otp_ring *ring, int64_t step)
{
    return ring->otps[(uint64_t)step & (ring->capacity - 1)];
}

#endif
