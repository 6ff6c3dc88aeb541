/*
 * A wall clock that is set through a file, preloaded into a program under AddressSanitizer: libfaketime looks functions up
 * and takes memory while the sanitizer is still starting, and the two wait for each other. This asks the kernel itself and
 * needs nothing of libc. The file that MOVABLE_CLOCK names holds how many seconds the clock is ahead, like +3600; it is
 * read at every look at the clock. The other clocks go on as they do.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long seconds_ahead(void)
{
    const char *path = getenv("MOVABLE_CLOCK");
    long file = path == NULL ? -1 : syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    char text[32];
    long size, value = 0;

    if (file < 0)
        return 0;
    size = syscall(SYS_read, file, text, sizeof(text));
    syscall(SYS_close, file);
    for (long at = 1; at < size && text[at] >= '0' && text[at] <= '9'; at++)
        value = value * 10 + (text[at] - '0');
    return size > 0 && text[0] == '-' ? -value : value;
}

int clock_gettime(clockid_t clock, struct timespec *time_r)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time_r);

    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        time_r->tv_sec += seconds_ahead();
    return result;
}

int gettimeofday(struct timeval *restrict time_r, void *restrict zone)
{
    struct timespec now;
    int result = clock_gettime(CLOCK_REALTIME, &now);

    (void)zone;
    time_r->tv_sec = now.tv_sec;
    time_r->tv_usec = now.tv_nsec / 1000;
    return result;
}

time_t time(time_t *time_r)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (time_r != NULL)
        *time_r = now.tv_sec;
    return now.tv_sec;
}
