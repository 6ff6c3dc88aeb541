#include "relay/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;

    if (clock_gettime(clock, &now) == -1)
        return 0;
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t relay_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

#ifdef __linux__

/* /proc/self/stat, field 22: the fork in clock ticks of CLOCK_BOOTTIME, rounded down. -1 if it
 * can't be had. */
static int64_t birth_since_boot(void)
{
    char text[1024];
    long ticks_per_second = sysconf(_SC_CLK_TCK);
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t length;
    const char *field;

    if (file == -1)
        return -1;
    length = read(file, text, sizeof(text) - 1);
    close(file);
    if (length <= 0 || ticks_per_second <= 0)
        return -1;
    text[length] = '\0';
    /* The name of the program, field 2, may hold blanks and parentheses itself: count from its last
     * one. */
    field = strrchr(text, ')');
    for (int number = 2; field != NULL && number < 22; number++)
        field = strchr(field + 1, ' ');
    if (field == NULL)
        return -1;
    return strtoll(field, NULL, 10) * 1000 / ticks_per_second;
}

int64_t relay_process_birth(void)
{
    int64_t birth = birth_since_boot();
    int64_t age = birth == -1 ? 0 : read_clock(CLOCK_BOOTTIME) - birth;

    return relay_now() - (age > 0 ? age : 0);
}

#else

int64_t relay_process_birth(void)
{
    return relay_now();
}

#endif
