/*
 * Calls that fail on demand: of libc, libevent, OpenSSL, SQLite and a few of ours, made by the code under test. The linker puts these
 * functions in the place of the real ones (--wrap, for all tests named test_failing_*). A test makes the first call fail, does its work
 * anew with the second one failing, and so on until none is left:
 *
 *     for (long number = 1; number == 1 || call_failed(); number++) {
 *         fail_call(number);
 *         ... the work ...
 *         calls_succeed();
 *         ... what must hold ...
 *     }
 *
 * Included by one file of a program: it defines functions.
 */
#ifndef UNIT_FAILING_CALLS_H
#define UNIT_FAILING_CALLS_H

#include "vectors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sqlite3.h>

#include "base/arena.h"
#include "base/name_table.h"

static struct {
    long left;        /* calls up to the one that fails; 0: none does */
    bool done;        /* one has failed */
    bool held;        /* what is called now is the test's own */
    char name[40];    /* which */
    const char *only; /* those of this name count; NULL: all */
} failing;

/* From here on the number-th call fails, once. */
static inline void fail_call(long number)
{
    failing.done = failing.held = false;
    failing.only = NULL;
    failing.left = number;
}

/* The same for the calls of one name. */
static inline void fail_call_of(const char *name, long number)
{
    fail_call(number);
    failing.only = name;
}

static inline void calls_succeed(void)
{
    failing.left = 0;
}

/* Whether the call that was to fail was made: if not, all have had their turn. */
static inline bool call_failed(void)
{
    return failing.done;
}

/* The test itself makes calls from here on, or the code under test goes on. */
static inline void hold_calls(bool held)
{
    failing.held = held;
}

static inline bool is_to_fail(const char *name, int error)
{
    if (failing.only != NULL && strcmp(name, failing.only) != 0)
        return false;
    if (failing.held || failing.left == 0 || --failing.left > 0)
        return false;
    failing.done = true;
    snprintf(failing.name, sizeof(failing.name), "%s", name);
    errno = error;
    return true;
}

#define FAILING(type, name, result, error, parameters, arguments)                                  \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return is_to_fail(#name, error) ? (result) : __real_##name arguments;                      \
    }

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names. */
FAILING(void *, malloc, NULL, ENOMEM, (size_t size), (size))
FAILING(void *, calloc, NULL, ENOMEM, (size_t count, size_t size), (count, size))
FAILING(void *, realloc, NULL, ENOMEM, (void *memory, size_t size), (memory, size))
FAILING(FILE *, open_memstream, NULL, ENOMEM, (char **text, size_t *size), (text, size))
FAILING(FILE *, fdopen, NULL, ENOMEM, (int file, const char *mode), (file, mode))
FAILING(DIR *, fdopendir, NULL, ENOMEM, (int file), (file))
FAILING(int, fstat64, -1, EIO, (int file, struct stat *status), (file, status))
FAILING(int, fstat, -1, EIO, (int file, struct stat *status), (file, status))
FAILING(ssize_t, read, -1, EIO, (int file, void *bytes, size_t size), (file, bytes, size))
FAILING(ssize_t, write, -1, ENOSPC, (int file, const void *bytes, size_t size), (file, bytes, size))
FAILING(ssize_t, pread64, -1, EIO, (int file, void *bytes, size_t size, off_t at),
        (file, bytes, size, at))
FAILING(ssize_t, pwrite64, -1, ENOSPC, (int file, const void *bytes, size_t size, off_t at),
        (file, bytes, size, at))
FAILING(int, fsync, -1, EIO, (int file), (file))
FAILING(int, fdatasync, -1, EIO, (int file), (file))
FAILING(int, ftruncate64, -1, EIO, (int file, off_t size), (file, size))
FAILING(int, mkdir, -1, EACCES, (const char *path, mode_t mode), (path, mode))
FAILING(int, flock, -1, ENOLCK, (int file, int how), (file, how))
FAILING(int, fchmod, -1, EPERM, (int file, mode_t mode), (file, mode))
FAILING(int, fchown, -1, EPERM, (int file, uid_t user, gid_t group), (file, user, group))
FAILING(int, chmod, -1, EPERM, (const char *path, mode_t mode), (path, mode))
FAILING(int, lchown, -1, EPERM, (const char *path, uid_t user, gid_t group), (path, user, group))
FAILING(int, renameat, -1, EIO, (int from_in, const char *from, int to_in, const char *to),
        (from_in, from, to_in, to))
FAILING(int, unlinkat, -1, EIO, (int in, const char *path, int how), (in, path, how))
FAILING(int, unlink, -1, EPERM, (const char *path), (path))
FAILING(int, socket, -1, EMFILE, (int family, int type, int protocol), (family, type, protocol))
FAILING(int, socketpair, -1, EMFILE, (int family, int type, int protocol, int pair[2]),
        (family, type, protocol, pair))
FAILING(int, bind, -1, EACCES, (int file, const struct sockaddr *address, socklen_t size),
        (file, address, size))
FAILING(int, connect, -1, EAGAIN, (int file, const struct sockaddr *address, socklen_t size),
        (file, address, size))
FAILING(int, listen, -1, EOPNOTSUPP, (int file, int backlog), (file, backlog))
FAILING(int, accept4, -1, EMFILE, (int file, struct sockaddr *address, socklen_t *size, int flags),
        (file, address, size, flags))
FAILING(ssize_t, recv, -1, ECONNRESET, (int file, void *bytes, size_t size, int flags),
        (file, bytes, size, flags))
FAILING(ssize_t, send, -1, ECONNRESET, (int file, const void *bytes, size_t size, int flags),
        (file, bytes, size, flags))
FAILING(int, poll, -1, ENOMEM, (struct pollfd * files, nfds_t count, int ms), (files, count, ms))
FAILING(pid_t, fork, -1, EAGAIN, (void), ())
FAILING(int, memfd_create, -1, EMFILE, (const char *name, unsigned flags), (name, flags))
FAILING(ssize_t, getrandom, -1, ENOSYS, (void *bytes, size_t size, unsigned flags),
        (bytes, size, flags))
FAILING(int, pthread_create, EAGAIN, EAGAIN,
        (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *), void *context),
        (thread, how, run, context))

/* Ours: an arena asks for memory so seldom that few of those that it serves would ever be refused. */
FAILING(void *, arena_alloc, NULL, ENOMEM, (struct arena * arena, size_t size), (arena, size))
FAILING(char *, arena_copy, NULL, ENOMEM, (struct arena * arena, const char *text, size_t length),
        (arena, text, length))
FAILING(int, name_table_add, -1, ENOMEM,
        (struct name_table * table, const char *name, size_t length, void *value),
        (table, name, length, value))

FAILING(struct event_base *, event_base_new, NULL, ENOMEM, (void), ())
FAILING(struct event *, event_new, NULL, ENOMEM,
        (struct event_base * loop, evutil_socket_t file, short events, event_callback_fn call,
         void *context),
        (loop, file, events, call, context))
FAILING(int, event_add, -1, ENOMEM, (struct event * event, const struct timeval *timeout),
        (event, timeout))
FAILING(struct evbuffer *, evbuffer_new, NULL, ENOMEM, (void), ())
FAILING(struct bufferevent *, bufferevent_socket_new, NULL, ENOMEM,
        (struct event_base * loop, evutil_socket_t file, int options), (loop, file, options))
FAILING(struct evhttp *, evhttp_new, NULL, ENOMEM, (struct event_base * loop), (loop))
FAILING(struct evhttp_bound_socket *, evhttp_accept_socket_with_handle, NULL, ENOMEM,
        (struct evhttp * http, evutil_socket_t file), (http, file))

FAILING(EVP_MD_CTX *, EVP_MD_CTX_new, NULL, ENOMEM, (void), ())
FAILING(EVP_MD *, EVP_MD_fetch, NULL, ENOMEM,
        (OSSL_LIB_CTX * library, const char *name, const char *properties),
        (library, name, properties))
FAILING(int, EVP_Digest, 0, ENOMEM,
        (const void *data, size_t size, unsigned char *digest, unsigned *digest_size,
         const EVP_MD *hash, ENGINE *engine),
        (data, size, digest, digest_size, hash, engine))
FAILING(int, EVP_DigestInit_ex, 0, ENOMEM,
        (EVP_MD_CTX * context, const EVP_MD *hash, ENGINE *engine), (context, hash, engine))
FAILING(int, EVP_DigestInit_ex2, 0, ENOMEM,
        (EVP_MD_CTX * context, const EVP_MD *hash, const OSSL_PARAM parameters[]),
        (context, hash, parameters))
FAILING(int, EVP_DigestUpdate, 0, ENOMEM, (EVP_MD_CTX * context, const void *data, size_t size),
        (context, data, size))
FAILING(int, EVP_DigestFinal_ex, 0, ENOMEM,
        (EVP_MD_CTX * context, unsigned char *digest, unsigned *size), (context, digest, size))
FAILING(int, EVP_MD_CTX_copy_ex, 0, ENOMEM, (EVP_MD_CTX * to, const EVP_MD_CTX *from), (to, from))
FAILING(int, RAND_bytes, 0, EIO, (unsigned char *bytes, int size), (bytes, size))
FAILING(int, RAND_priv_bytes, 0, EIO, (unsigned char *bytes, int size), (bytes, size))
FAILING(void *, CRYPTO_malloc, NULL, ENOMEM, (size_t size, const char *file, int line),
        (size, file, line))
FAILING(void *, CRYPTO_secure_malloc, NULL, ENOMEM, (size_t size, const char *file, int line),
        (size, file, line))

FAILING(int, sqlite3_open_v2, SQLITE_CANTOPEN, EIO,
        (const char *path, sqlite3 **database, int flags, const char *system),
        (path, database, flags, system))
FAILING(int, sqlite3_exec, SQLITE_IOERR, EIO,
        (sqlite3 * database, const char *text, int (*row)(void *, int, char **, char **),
         void *context, char **error),
        (database, text, row, context, error))
FAILING(int, sqlite3_prepare_v2, SQLITE_NOMEM, ENOMEM,
        (sqlite3 * database, const char *text, int size, sqlite3_stmt **statement,
         const char **tail),
        (database, text, size, statement, tail))
FAILING(int, sqlite3_prepare_v3, SQLITE_NOMEM, ENOMEM,
        (sqlite3 * database, const char *text, int size, unsigned flags, sqlite3_stmt **statement,
         const char **tail),
        (database, text, size, flags, statement, tail))
FAILING(int, sqlite3_step, SQLITE_IOERR, EIO, (sqlite3_stmt * statement), (statement))

/* What takes a mode where it makes a file. */
#define FAILING_OPEN(name, parameters, arguments, arguments_with_mode)                             \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        va_list rest;                                                                              \
        mode_t mode;                                                                               \
                                                                                                   \
        if (is_to_fail(#name, EMFILE))                                                             \
            return -1;                                                                             \
        if ((flags & (O_CREAT | O_TMPFILE)) == 0)                                                  \
            return __real_##name arguments;                                                        \
        va_start(rest, flags);                                                                     \
        mode = va_arg(rest, mode_t);                                                               \
        va_end(rest);                                                                              \
        return __real_##name arguments_with_mode;                                                  \
    }
FAILING_OPEN(open, (const char *path, int flags, ...), (path, flags), (path, flags, mode))
FAILING_OPEN(open64, (const char *path, int flags, ...), (path, flags), (path, flags, mode))
FAILING_OPEN(openat, (int in, const char *path, int flags, ...), (in, path, flags),
             (in, path, flags, mode))
FAILING_OPEN(openat64, (int in, const char *path, int flags, ...), (in, path, flags),
             (in, path, flags, mode))
/* NOLINTEND(bugprone-reserved-identifier) */

/* How many descriptors this process has open: a failure must leave none behind. */
static inline size_t open_descriptors(void)
{
    DIR *stream = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(stream);
    while (readdir(stream) != NULL)
        count++;
    closedir(stream);
    return count;
}

#endif
