/*
 * Preloaded into a program: makes one call of one function fail, the number-th from the moment on at which that was asked for, and
 * as many after it as wanted; or many calls by chance, each in a way that a program must take as nothing. Calls of the libraries are
 * caught as the program's own are. The test asks through a page that both have mapped (fault_page.h).
 */
#include "fault_page.h"
#include "fault_real.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static struct fault_page *page;
static uintptr_t program, program_end; /* where the program was loaded */

/* What ends the process where it finds no memory: hiredis 0.14, and AddressSanitizer itself. */
static const char *const ending[] = {"libhiredis", "libasan"};
enum { ENDING = sizeof(ending) / sizeof(*ending) };
static uintptr_t ending_from[ENDING], ending_to[ENDING];
static uintptr_t shim, shim_end;
_Thread_local bool fault_inside;

static struct fault_page *map_page(void)
{
    const char *path = getenv("FAULT_PAGE");
    long descriptor = path == NULL ? -1 : syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
    void *mapped = MAP_FAILED;

    if (descriptor >= 0) {
        mapped = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, (int)descriptor, 0);
        syscall(SYS_close, descriptor);
    }
    return mapped == MAP_FAILED ? NULL : mapped;
}

/* The first that it is called for is the program. */
static int note_program(struct dl_phdr_info *about, size_t size, void *context)
{
    uintptr_t most = 0;

    (void)size;
    (void)context;
    for (int i = 0; i < about->dlpi_phnum; i++) {
        uintptr_t end = about->dlpi_phdr[i].p_vaddr + about->dlpi_phdr[i].p_memsz;

        if (about->dlpi_phdr[i].p_type == PT_LOAD && end > most)
            most = end;
    }
    if (program_end == 0) {
        program = about->dlpi_addr;
        program_end = program + most;
    }
    if ((uintptr_t)note_program >= about->dlpi_addr &&
        (uintptr_t)note_program < about->dlpi_addr + most) {
        shim = about->dlpi_addr;
        shim_end = shim + most;
    }
    for (int i = 0; i < ENDING; i++) {
        if (strstr(about->dlpi_name, ending[i]) != NULL) {
            ending_from[i] = about->dlpi_addr;
            ending_to[i] = about->dlpi_addr + most;
        }
    }
    return 0;
}

static bool is_programs(const void *address)
{
    return (uintptr_t)address >= program && (uintptr_t)address < program_end;
}

static __attribute__((constructor)) void begin(void)
{
    void *frame;

    /* A shell that starts the program is none of ours. */
    if (strncmp(program_invocation_short_name, "xmpp-", 5) != 0)
        return;
    dl_iterate_phdr(note_program, NULL);
    backtrace(&frame, 1); /* which loads a library the first time */
    page = map_page();
}

/* The part of the stack that is the program's own. */
static void note_place(int descriptor)
{
    void *stack[40];
    int depth = backtrace(stack, 40);
    unsigned count = 0;

    for (int i = 0; i < depth && count < FAULT_FRAMES; i++) {
        if (is_programs(stack[i]))
            page->frames[count++] = (uintptr_t)stack[i] - program;
    }
    atomic_store(&page->frame_count, count);
    atomic_store(&page->descriptor, descriptor);
}

/* The stack is the same where all return addresses are. */
static void note_trace(enum fault_call call)
{
    void *stack[40];
    int depth = backtrace(stack, 40);
    unsigned place = atomic_fetch_add(&page->traced, 1);
    uint64_t digest = 0;

    for (int i = 0; i < depth; i++)
        digest = (digest ^ (uintptr_t)stack[i]) * 0x9E3779B97F4A7C15U;
    if (place < FAULT_TRACED) {
        page->trace[place][0] = call;
        page->trace[place][1] = (uint32_t)(digest >> 32);
    }
}

static enum fault_fate fate_of(int error)
{
    if (error == ERROR_SHORT)
        return FATE_SHORT;
    if (error == ERROR_END)
        return FATE_END;
    errno = error;
    return FATE_FAILS;
}

/* --- by chance: what every program must be ready for at any moment */

static unsigned chance(unsigned below)
{
    unsigned value = atomic_load(&page->seed);
    unsigned next;

    do {
        next = value * 1664525U + 1013904223U;
        next = next == 0 ? 1 : next;
    } while (!atomic_compare_exchange_weak(&page->seed, &value, next));
    return (next >> 8) % below;
}

static bool is_file(int descriptor)
{
    struct stat status;

    return syscall(SYS_fstat, descriptor, &status) == 0 &&
           (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) || S_ISCHR(status.st_mode));
}

/* What transfers as many bytes as it likes: neither an eventfd nor a signal's, which know no part of a number. */
static bool may_be_short(int descriptor)
{
    struct stat status;

    return descriptor != STDERR_FILENO && syscall(SYS_fstat, descriptor, &status) == 0 &&
           (S_ISSOCK(status.st_mode) || S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode));
}

static bool may_be_empty(int descriptor)
{
    long flags = syscall(SYS_fcntl, descriptor, F_GETFL);

    return descriptor != STDERR_FILENO && flags >= 0 && (flags & O_NONBLOCK) != 0 &&
           !is_file(descriptor);
}

/* A byte that wakes the program's own loop (or libevent's, from a signal's handler): there is room for it, and nobody to wait. */
static bool is_wake_up(enum fault_call call, int descriptor)
{
    return call == FAULT_write && may_be_empty(descriptor);
}

static enum fault_fate chance_of(enum fault_call call, int descriptor)
{
    static const int accept_errors[] = {EINTR, ECONNABORTED};
    unsigned number = chance(12);

    if (is_wake_up(call, descriptor))
        return FATE_GOES_ON;
    switch (call) {
    case FAULT_read:
    case FAULT_write:
    case FAULT_recv:
    case FAULT_send:
    case FAULT_pread:
    case FAULT_pwrite:
    case FAULT_readv:
    case FAULT_writev:
        if (number == 0)
            return fate_of(EINTR);
        if (number == 1 && may_be_empty(descriptor))
            return fate_of(EAGAIN);
        /* Who is killed between the two halves of a count leaves half a count, and the next one says so. */
        return number < 5 && call != FAULT_pwrite && may_be_short(descriptor) ? FATE_SHORT
                                                                              : FATE_GOES_ON;
    case FAULT_accept4:
        return number < 2 ? fate_of(accept_errors[number]) : FATE_GOES_ON;
    case FAULT_epoll_wait:
    case FAULT_poll:
    case FAULT_ppoll:
    case FAULT_waitpid:
    case FAULT_nanosleep:
    case FAULT_flock:
        return number == 0 ? fate_of(EINTR) : FATE_GOES_ON;
    default:
        return FATE_GOES_ON;
    }
}

/* --- on demand */

static bool is_ending(const void *address)
{
    for (int i = 0; i < ENDING; i++) {
        if ((uintptr_t)address >= ending_from[i] && (uintptr_t)address < ending_to[i])
            return true;
    }
    return false;
}

static bool is_shims(const void *address)
{
    return (uintptr_t)address >= shim && (uintptr_t)address < shim_end;
}

/* Where the call came from: behind the shim's own frames, before which AddressSanitizer's may stand. Further down the shim
 * stands for the library's functions that it makes fail. */
static int first_caller(void *const *stack, int depth)
{
    int at = 0;

    while (at < depth && !is_shims(stack[at]))
        at++;
    while (at < depth && is_shims(stack[at]))
        at++;
    return at;
}

/* What such a library calls back is not meant. */
static bool must_be_given(enum fault_call call)
{
    void *stack[16];
    bool found = false;
    int depth;

    if ((ending_to[0] == 0 && ending_to[1] == 0) ||
        (call != FAULT_malloc && call != FAULT_calloc && call != FAULT_realloc))
        return false;
    fault_inside = true;
    depth = backtrace(stack, 16);
    fault_inside = false;
    for (int i = first_caller(stack, depth); i < depth && !found && !is_programs(stack[i]); i++)
        found = is_ending(stack[i]);
    return found;
}

static bool can_happen(enum fault_call call, int error, int descriptor)
{
    if ((error == EINTR || error == EAGAIN) && is_wake_up(call, descriptor))
        return false;
    if (error == ENOMEM && call == FAULT_write)
        return !is_file(descriptor);
    if (error == ERROR_SHORT)
        return may_be_short(descriptor);
    if (error == EAGAIN && descriptor >= 0)
        return may_be_empty(descriptor);
    if ((error == EIO || error == ENOSPC || error == EDQUOT) && descriptor >= 0)
        return is_file(descriptor);
    return true;
}

enum fault_fate fault_judge(enum fault_call call, int descriptor)
{
    enum fault_fate fate;

    if (page == NULL || fault_inside)
        return FATE_GOES_ON;
    atomic_fetch_add(&page->calls[call], 1);
    if (atomic_load(&page->is_tracing) != 0) {
        fault_inside = true;
        note_trace(call);
        fault_inside = false;
    }
    if (atomic_load(&page->seed) != 0) {
        fate = chance_of(call, descriptor);
        if (fate != FATE_GOES_ON)
            atomic_fetch_add(&page->chances[call], 1);
        return fate;
    }
    if (atomic_load(&page->call) != (unsigned)call + 1)
        return FATE_GOES_ON;
    if (!can_happen(call, atomic_load(&page->error), descriptor) || must_be_given(call))
        return FATE_GOES_ON;
    if (atomic_fetch_sub(&page->countdown, 1) > 1 || atomic_fetch_sub(&page->failures, 1) <= 0)
        return FATE_GOES_ON;
    fault_inside = true;
    note_place(descriptor);
    fault_inside = false;
    atomic_fetch_add(&page->hits, 1);
    fate = fate_of(atomic_load(&page->error));
    return fate;
}

size_t fault_shortened(size_t size)
{
    if (size < 2)
        return size;
    return atomic_load(&page->seed) == 0 ? 1
                                         : 1 + chance((unsigned)(size < 65536 ? size : 65536) - 1);
}

long long fault_ahead(void)
{
    return page == NULL ? 0 : (long long)atomic_load(&page->ahead_ns);
}

/* Under names of our own: the headers' types are too many. */
#define CALL(name, result_type, failure, parameters, arguments)                                    \
    result_type shim_##name parameters __asm__(#name);                                             \
    result_type shim_##name parameters                                                             \
    {                                                                                              \
        REAL(#name, __typeof__(&shim_##name))                                                      \
        return fault_judge(FAULT_##name, -1) == FATE_FAILS ? (failure) : real arguments;           \
    }
#define OF_PROGRAM(name, result_type, failure, parameters, arguments)                              \
    result_type shim_##name parameters __asm__(#name);                                             \
    result_type shim_##name parameters                                                             \
    {                                                                                              \
        REAL(#name, __typeof__(&shim_##name))                                                      \
        return is_programs(__builtin_return_address(0)) &&                                         \
                       fault_judge(FAULT_##name, -1) == FATE_FAILS                                 \
                   ? (failure)                                                                     \
                   : real arguments;                                                               \
    }
#define TRANSFER(name, parameters, arguments)                                                      \
    ssize_t shim_##name parameters __asm__(#name);                                                 \
    ssize_t shim_##name parameters                                                                 \
    {                                                                                              \
        REAL(#name, __typeof__(&shim_##name))                                                      \
        switch (fault_judge(FAULT_##name, file)) {                                                 \
        case FATE_FAILS:                                                                           \
            return -1;                                                                             \
        case FATE_END:                                                                             \
            return 0;                                                                              \
        case FATE_SHORT:                                                                           \
            size = fault_shortened(size);                                                          \
            break;                                                                                 \
        default:                                                                                   \
            break;                                                                                 \
        }                                                                                          \
        return real arguments;                                                                     \
    }
#define WRITTEN_OUT(name)
#include "fault_calls.def"

ALSO(pread, pread64)
ALSO(pwrite, pwrite64)
ALSO(ftruncate, ftruncate64)
ALSO(lseek, lseek64)
ALSO(fopen, fopen64)
ALSO(fstat, fstat64)
ALSO(stat, stat64)
ALSO(lstat, lstat64)
ALSO(fstatat, fstatat64)
ALSO(readdir, readdir64)
ALSO(scandir, scandir64)
ALSO(getrlimit, getrlimit64)
ALSO(setrlimit, setrlimit64)

/* What Fortify calls in their place where it has to look whether the size fits. */
ssize_t shim_checked_read(int file, void *bytes, size_t size, size_t room) __asm__("__read_chk");
ssize_t shim_checked_read(int file, void *bytes, size_t size, size_t room)
{
    if (size > room)
        abort();
    return shim_read(file, bytes, size);
}

ssize_t shim_checked_recv(int file, void *bytes, size_t size, size_t room,
                          int flags) __asm__("__recv_chk");
ssize_t shim_checked_recv(int file, void *bytes, size_t size, size_t room, int flags)
{
    if (size > room)
        abort();
    return shim_recv(file, bytes, size, flags);
}
