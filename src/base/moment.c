#include "base/moment.h"

#include <time.h>

static int64_t milliseconds(clockid_t clock)
{
    struct timespec time = {0};

    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

struct moment moment_now(void)
{
#ifdef CLOCK_BOOTTIME
    const clockid_t boot_clock = CLOCK_BOOTTIME;
#else
    const clockid_t boot_clock = CLOCK_MONOTONIC;
#endif
    return (struct moment){.wall_ms = milliseconds(CLOCK_REALTIME),
                           .boot_ms = milliseconds(boot_clock)};
}

int64_t floor_divide(int64_t numerator, int64_t denominator)
{
    int64_t quotient = numerator / denominator;

    return numerator % denominator < 0 ? quotient - 1 : quotient;
}

int64_t moment_seconds(struct moment moment)
{
    return floor_divide(moment.wall_ms, 1000);
}
