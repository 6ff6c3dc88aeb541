/*
 * One reading of the clocks. Everything that belongs to one verdict is judged by one moment, so
 * that no two checks of the same token can disagree about the time.
 */
#ifndef BASE_MOMENT_H
#define BASE_MOMENT_H

#include <stdint.h>

struct moment {
    int64_t
        wall_ms; /* milliseconds since the epoch, as the wall clock has it; can jump either way */
    int64_t boot_ms; /* milliseconds since the machine booted, sleep included; never goes back */
    int64_t boot_ns; /* the same reading in nanoseconds, to measure by; nothing is judged by it */
};

/* Reads both clocks now. Where there is no boot-time clock, the monotonic one stands in (it stops
 * while asleep). */
struct moment moment_now(void);

/* Only the boot clock, in nanoseconds: to measure what a moment began. */
int64_t moment_boot_ns(void);

/* numerator / denominator rounded towards minus infinity; denominator > 0. Here with its body: with a
 * denominator that the compiler sees it is no division. */
static inline int64_t floor_divide(int64_t numerator, int64_t denominator)
{
    int64_t quotient = numerator / denominator;

    return numerator % denominator < 0 ? quotient - 1 : quotient;
}

/* The wall clock's whole seconds, rounded down (also before 1970). */
static inline int64_t moment_seconds(struct moment moment)
{
    return floor_divide(moment.wall_ms, 1000);
}

#endif
