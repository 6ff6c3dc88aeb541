/*
 * Preloaded into the daemon: makes one call of one function fail, the number-th from the moment on at which that was asked for, and
 * as many after it as wanted. The test asks through a file that both have mapped (fault_page); the calls are counted there too.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* In the order of faults.py. */
enum function {
    MALLOC,
    CALLOC,
    REALLOC,
    ACCEPT4,
    RECV,
    SEND,
    READ,
    WRITE,
    PWRITE,
    FSYNC,
    OPENAT,
    RENAMEAT,
    THREAD,
    STEP,
    PREPARE,
    EXEC,
    COMMAND,
    FUNCTIONS
};

struct fault_page {
    atomic_uint function; /* its number plus 1; 0: none is to fail */
    atomic_int countdown; /* calls up to the one that fails */
    atomic_int failures;  /* calls to fail */
    atomic_int error;     /* errno of a failed call */
    atomic_int hits;      /* calls that were made to fail */
    atomic_uint calls[FUNCTIONS];
};

static struct fault_page *page;

static __attribute__((constructor)) void map_page(void)
{
    const char *path = getenv("FAULT_PAGE");
    int descriptor = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    void *mapped;

    if (descriptor < 0)
        return;
    mapped = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    page = mapped == MAP_FAILED ? NULL : mapped;
}

/* Whether this call is to fail; errno is set then. */
static bool fails(enum function function)
{
    if (page == NULL)
        return false;
    atomic_fetch_add(&page->calls[function], 1);
    if (atomic_load(&page->function) != (unsigned)function + 1)
        return false;
    if (atomic_fetch_sub(&page->countdown, 1) > 1)
        return false;
    if (atomic_fetch_sub(&page->failures, 1) <= 0)
        return false;
    atomic_fetch_add(&page->hits, 1);
    errno = atomic_load(&page->error);
    return true;
}

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

/* libc's own names of what dlsym() itself needs. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
    return fails(MALLOC) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(CALLOC) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails(REALLOC) ? NULL : __libc_realloc(memory, size);
}

/* A function of libc's or a library's that fails with a value of its own. */
#define FAILING(function, result_type, name, failure, parameters, arguments)                       \
    result_type name parameters;                                                                   \
    result_type name parameters                                                                    \
    {                                                                                              \
        static __typeof__(&(name)) real;                                                           \
                                                                                                   \
        if (real == NULL)                                                                          \
            real = (__typeof__(&(name)))next(#name);                                               \
        return fails(function) ? (failure) : real arguments;                                       \
    }

FAILING(ACCEPT4, int, accept4, -1,
        (int socket, struct sockaddr *address, socklen_t *size, int flags),
        (socket, address, size, flags))
FAILING(RECV, ssize_t, recv, -1, (int socket, void *bytes, size_t size, int flags),
        (socket, bytes, size, flags))
FAILING(SEND, ssize_t, send, -1, (int socket, const void *bytes, size_t size, int flags),
        (socket, bytes, size, flags))
FAILING(WRITE, ssize_t, write, -1, (int file, const void *bytes, size_t size), (file, bytes, size))
FAILING(PWRITE, ssize_t, pwrite, -1, (int file, const void *bytes, size_t size, off_t at),
        (file, bytes, size, at))
FAILING(PWRITE, ssize_t, pwrite64, -1, (int file, const void *bytes, size_t size, off_t at),
        (file, bytes, size, at))
FAILING(FSYNC, int, fsync, -1, (int file), (file))
FAILING(RENAMEAT, int, renameat, -1, (int from, const char *name, int to, const char *new_name),
        (from, name, to, new_name))
FAILING(THREAD, int, pthread_create, EAGAIN,
        (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *),
         void *argument),
        (thread, attributes, start, argument))

/* SQLite's and hiredis' types are none of the shim's business; SQLITE_IOERR, REDIS_ERR. */
enum { SQLITE_FAILURE = 10, REDIS_FAILURE = -1 };

FAILING(STEP, int, sqlite3_step, SQLITE_FAILURE, (void *statement), (statement))
FAILING(PREPARE, int, sqlite3_prepare_v2, SQLITE_FAILURE,
        (void *database, const char *text, int size, void **statement, const char **rest),
        (database, text, size, statement, rest))
FAILING(EXEC, int, sqlite3_exec, SQLITE_FAILURE,
        (void *database, const char *text, void *callback, void *context, char **error),
        (database, text, callback, context, error))
FAILING(PREPARE, int, sqlite3_prepare_v3, SQLITE_FAILURE,
        (void *database, const char *text, int size, unsigned flags, void **statement,
         const char **rest),
        (database, text, size, flags, statement, rest))

int redisAsyncCommand(void *redis, void *callback, void *context, const char *format, ...);
int redisAsyncCommand(void *redis, void *callback, void *context, const char *format, ...)
{
    static int (*real)(void *, void *, void *, const char *, __builtin_va_list);
    __builtin_va_list arguments;
    int result;

    if (real == NULL)
        real = (int (*)(void *, void *, void *, const char *, __builtin_va_list))next(
            "redisvAsyncCommand");
    if (fails(COMMAND))
        return REDIS_FAILURE;
    __builtin_va_start(arguments, format);
    result = real(redis, callback, context, format, arguments);
    __builtin_va_end(arguments);
    return result;
}

int openat64(int directory, const char *path, int flags, ...)
{
    static int (*real)(int, const char *, int, ...);
    __builtin_va_list more;
    mode_t mode;

    if (real == NULL)
        real = (int (*)(int, const char *, int, ...))next("openat64");
    __builtin_va_start(more, flags);
    mode = (flags & O_CREAT) != 0 ? __builtin_va_arg(more, mode_t) : 0;
    __builtin_va_end(more);
    return fails(OPENAT) ? -1 : real(directory, path, flags, mode);
}
