#include "base/moment.h"

#include <time.h>

static int64_t nanoseconds(clockid_t clock)
{
    struct timespec time = {0};

    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t moment_boot_ns(void)
{
#ifdef CLOCK_BOOTTIME
    return nanoseconds(CLOCK_BOOTTIME);
#else
    return nanoseconds(CLOCK_MONOTONIC);
#endif
}

struct moment moment_now(void)
{
    int64_t boot_ns = moment_boot_ns();

    return (struct moment){.wall_ms = floor_divide(nanoseconds(CLOCK_REALTIME), 1000000),
                           .boot_ms = boot_ns / 1000000,
                           .boot_ns = boot_ns};
}
