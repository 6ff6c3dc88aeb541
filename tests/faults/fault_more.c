/* What fault_shim.c makes fail and can't be written as a line of fault_calls.def; and the clocks. */
#include "fault_page.h"
#include "fault_real.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>

/* --- memory: by the names of libc's own, or of AddressSanitizer's, for dlsym() may need memory itself */

#ifdef FAULT_SANITIZED
#define MEMORY(name) __interceptor_##name
#else
#define MEMORY(name) __libc_##name
#endif
extern void *MEMORY(malloc)(size_t size);
extern void *MEMORY(calloc)(size_t count, size_t size);
extern void *MEMORY(realloc)(void *memory, size_t size);

void *shim_malloc(size_t size) __asm__("malloc");
void *shim_malloc(size_t size)
{
    return fault_judge(FAULT_malloc, -1) == FATE_FAILS ? NULL : MEMORY(malloc)(size);
}

void *shim_calloc(size_t count, size_t size) __asm__("calloc");
void *shim_calloc(size_t count, size_t size)
{
    return fault_judge(FAULT_calloc, -1) == FATE_FAILS ? NULL : MEMORY(calloc)(count, size);
}

void *shim_realloc(void *memory, size_t size) __asm__("realloc");
void *shim_realloc(void *memory, size_t size)
{
    return fault_judge(FAULT_realloc, -1) == FATE_FAILS ? NULL : MEMORY(realloc)(memory, size);
}

/* --- vectors: a short call takes a part of the first piece */

#define VECTOR(name)                                                                               \
    ssize_t shim_##name(int file, const struct iovec *pieces, int count) __asm__(#name);           \
    ssize_t shim_##name(int file, const struct iovec *pieces, int count)                           \
    {                                                                                              \
        struct iovec first;                                                                        \
        REAL(#name, __typeof__(&shim_##name))                                                      \
        switch (fault_judge(FAULT_##name, file)) {                                                 \
        case FATE_FAILS:                                                                           \
            return -1;                                                                             \
        case FATE_END:                                                                             \
            return 0;                                                                              \
        case FATE_SHORT:                                                                           \
            if (count < 1)                                                                         \
                break;                                                                             \
            first = pieces[0];                                                                     \
            first.iov_len = fault_shortened(first.iov_len);                                        \
            return real(file, &first, 1);                                                          \
        default:                                                                                   \
            break;                                                                                 \
        }                                                                                          \
        return real(file, pieces, count);                                                          \
    }
VECTOR(readv)
VECTOR(writev)

/* --- streams: what failed is remembered in the stream, as libc does */

/* libc's _IO_ERR_SEEN. */
enum { ERROR_SEEN = 0x20 };

static bool stream_fails(enum fault_call call, void *stream)
{
    if (fault_judge(call, -1) != FATE_FAILS)
        return false;
    *(int *)stream |= ERROR_SEEN;
    return true;
}

#define STREAM(call, name, result_type, failure, parameters, arguments, stream)                    \
    result_type shim_##name parameters __asm__(#name);                                             \
    result_type shim_##name parameters                                                             \
    {                                                                                              \
        REAL(#name, __typeof__(&shim_##name))                                                      \
        return stream_fails(FAULT_##call, stream) ? (failure) : real arguments;                    \
    }
STREAM(fread, fread, size_t, 0, (void *bytes, size_t size, size_t count, FILE *stream),
       (bytes, size, count, stream), stream)
STREAM(fgets, fgets, char *, NULL, (char *text, int size, FILE *stream), (text, size, stream),
       stream)
STREAM(getdelim, __getdelim, ssize_t, -1, (char **line, size_t *size, int end, FILE *stream),
       (line, size, end, stream), stream)
STREAM(fwrite, fwrite, size_t, 0, (const void *bytes, size_t size, size_t count, FILE *stream),
       (bytes, size, count, stream), stream)
STREAM(fputs, fputs, int, EOF, (const char *text, FILE *stream), (text, stream), stream)
STREAM(fputs, puts, int, EOF, (const char *text), (text), stdout)
STREAM(putc, putc, int, EOF, (int character, FILE *stream), (character, stream), stream)
STREAM(putc, fputc, int, EOF, (int character, FILE *stream), (character, stream), stream)
STREAM(fflush, fflush, int, EOF, (FILE * stream), (stream), stream == NULL ? stdout : stream)
STREAM(printf, __vfprintf_chk, int, -1, (FILE * stream, int flag, const char *format, va_list more),
       (stream, flag, format, more), stream)

int shim_printf(int flag, const char *format, ...) __asm__("__printf_chk");
int shim_printf(int flag, const char *format, ...)
{
    va_list more;
    int length;

    (void)flag;
    if (stream_fails(FAULT_printf, stdout))
        return -1;
    va_start(more, format);
    length = vprintf(format, more);
    va_end(more);
    return length;
}

int shim_fprintf(FILE *stream, int flag, const char *format, ...) __asm__("__fprintf_chk");
int shim_fprintf(FILE *stream, int flag, const char *format, ...)
{
    va_list more;
    int length;

    (void)flag;
    if (stream_fails(FAULT_printf, stream))
        return -1;
    va_start(more, format);
    length = vfprintf(stream, format, more);
    va_end(more);
    return length;
}

/* The stream or file is gone, and what was written to it may be. */
int shim_fclose(FILE *stream) __asm__("fclose");
int shim_fclose(FILE *stream)
{
    enum fault_fate fate = fault_judge(FAULT_fclose, -1);
    int error = errno;
    REAL("fclose", int (*)(FILE *))

    if (fate != FATE_FAILS)
        return real(stream);
    real(stream);
    errno = error;
    return EOF;
}

int shim_close(int file) __asm__("close");
int shim_close(int file)
{
    enum fault_fate fate = fault_judge(FAULT_close, file);
    int error = errno;
    REAL("close", int (*)(int))

    if (fate != FATE_FAILS)
        return real(file);
    real(file);
    errno = error;
    return -1;
}

/* --- what takes more arguments, or does not */

int shim_open(const char *path, int flags, ...) __asm__("open");
int shim_open(const char *path, int flags, ...)
{
    REAL("open64", int (*)(const char *, int, ...))
    va_list more;
    mode_t mode;

    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
    return fault_judge(FAULT_open, -1) == FATE_FAILS ? -1 : real(path, flags, mode);
}

int shim_openat(int directory, const char *path, int flags, ...) __asm__("openat");
int shim_openat(int directory, const char *path, int flags, ...)
{
    REAL("openat64", int (*)(int, const char *, int, ...))
    va_list more;
    mode_t mode;

    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
    return fault_judge(FAULT_openat, -1) == FATE_FAILS ? -1 : real(directory, path, flags, mode);
}

int shim_fcntl(int file, int what, ...) __asm__("fcntl");
int shim_fcntl(int file, int what, ...)
{
    REAL("fcntl64", int (*)(int, int, ...))
    va_list more;
    void *argument;

    va_start(more, what);
    argument = va_arg(more, void *);
    va_end(more);
    return fault_judge(FAULT_fcntl, file) == FATE_FAILS ? -1 : real(file, what, argument);
}

int shim_ioctl(int file, unsigned long what, ...) __asm__("ioctl");
int shim_ioctl(int file, unsigned long what, ...)
{
    REAL("ioctl", int (*)(int, unsigned long, ...))
    va_list more;
    void *argument;

    va_start(more, what);
    argument = va_arg(more, void *);
    va_end(more);
    return fault_judge(FAULT_ioctl, file) == FATE_FAILS ? -1 : real(file, what, argument);
}

int shim_poll(struct pollfd *files, nfds_t count, int timeout) __asm__("poll");
int shim_poll(struct pollfd *files, nfds_t count, int timeout)
{
    REAL("poll", int (*)(struct pollfd *, nfds_t, int))

    return fault_judge(FAULT_poll, count == 1 ? files[0].fd : -1) == FATE_FAILS
               ? -1
               : real(files, count, timeout);
}

/* Linux needs memory to begin to watch a descriptor alone, neither to change nor to end it. */
int shim_epoll_ctl(int epoll, int what, int file, void *event) __asm__("epoll_ctl");
int shim_epoll_ctl(int epoll, int what, int file, void *event)
{
    REAL("epoll_ctl", int (*)(int, int, int, void *))

    return what == EPOLL_CTL_ADD && fault_judge(FAULT_epoll_ctl, file) == FATE_FAILS
               ? -1
               : real(epoll, what, file, event);
}

ALSO(open, open64)
ALSO(openat, openat64)
ALSO(fcntl, fcntl64)

enum { REDIS_FAILURE = -1 };

int shim_command(void *redis, void *callback, void *context, const char *format,
                 ...) __asm__("redisAsyncCommand");
int shim_command(void *redis, void *callback, void *context, const char *format, ...)
{
    REAL("redisvAsyncCommand", int (*)(void *, void *, void *, const char *, va_list))
    va_list more;
    int result;

    if (fault_judge(FAULT_redisAsyncCommand, -1) == FATE_FAILS)
        return REDIS_FAILURE;
    va_start(more, format);
    result = real(redis, callback, context, format, more);
    va_end(more);
    return result;
}

/* --- clocks that a test sets forward */

enum { SECOND_NS = 1000000000 };

int shim_clock_gettime(clockid_t clock, struct timespec *time) __asm__("clock_gettime");
int shim_clock_gettime(clockid_t clock, struct timespec *time)
{
    REAL("clock_gettime", int (*)(clockid_t, struct timespec *))
    int result = real(clock, time);
    long long nanoseconds;

    if (result != 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
        return result;
    nanoseconds = time->tv_nsec + fault_ahead();
    time->tv_sec += nanoseconds / SECOND_NS;
    time->tv_nsec = nanoseconds % SECOND_NS;
    return 0;
}

time_t shim_time(time_t *result_r) __asm__("time");
time_t shim_time(time_t *result_r)
{
    struct timespec now;

    shim_clock_gettime(CLOCK_REALTIME, &now);
    if (result_r != NULL)
        *result_r = now.tv_sec;
    return now.tv_sec;
}
