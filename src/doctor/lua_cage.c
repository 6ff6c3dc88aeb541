#include "doctor/lua_cage.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

/* The sanitizers' shadow memory is larger than any limit, and their runtime reads /proc whenever a
 * stack is unwound. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_SHADOW_MEMORY
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HAVE_SHADOW_MEMORY
#endif

enum { ADDRESS_SPACE_MAX = 256 << 20, PROCESSOR_SECONDS_MAX = 5, DESCRIPTORS_MAX = 65536 };

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#if defined(THIS_ARCHITECTURE) && !defined(HAVE_SHADOW_MEMORY)
#define ALLOW(call)                                                                                \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#endif

/* From here on the kernel does nothing for this process but read, write, memory and its end. */
static bool forbid_calls(void)
{
#if defined(THIS_ARCHITECTURE) && !defined(HAVE_SHADOW_MEMORY)
    static struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(__NR_read),
        ALLOW(__NR_write),
        ALLOW(__NR_brk),
        ALLOW(__NR_mmap),
        ALLOW(__NR_munmap),
        ALLOW(__NR_mremap),
        ALLOW(__NR_madvise),
        ALLOW(__NR_futex),
        ALLOW(__NR_rt_sigreturn),
        ALLOW(__NR_exit),
        ALLOW(__NR_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
    };
    const struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

    /* A kernel without it leaves what comes before. */
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 || errno == EINVAL;
#else
    return true;
#endif
}

static bool become_nobody(void)
{
    const struct passwd *entry;
    uid_t user = 65534;
    gid_t group = 65534;

    if (geteuid() != 0)
        return true;
    entry = getpwnam("nobody");
    if (entry != NULL && entry->pw_uid != 0) {
        user = entry->pw_uid;
        group = entry->pw_gid;
    }
    return setgroups(0, NULL) == 0 && setresgid(group, group, group) == 0 &&
           setresuid(user, user, user) == 0;
}

static void limit(int resource, rlim_t most)
{
    const struct rlimit both = {most, most};

    setrlimit((__rlimit_resource_t)resource, &both);
}

static void limit_all(void)
{
#ifndef HAVE_SHADOW_MEMORY
    limit(RLIMIT_AS, ADDRESS_SPACE_MAX);
    limit(RLIMIT_NOFILE, 0);
#endif
    limit(RLIMIT_CPU, PROCESSOR_SECONDS_MAX);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NPROC, 0);
}

/* Leaves the socket under its number, and nothing else but /dev/null. */
static bool close_all(int socket)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(socket, CAGE_SOCKET) < 0)
        return false;
    for (int descriptor = 0; descriptor < CAGE_SOCKET; descriptor++) {
        if (dup2(null, descriptor) < 0)
            return false;
    }
    for (int descriptor = CAGE_SOCKET + 1; descriptor < DESCRIPTORS_MAX; descriptor++)
        close(descriptor);
    return true;
}

static _Noreturn void run_inside(int socket, void (*inside)(void))
{
#ifdef __linux__
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        _exit(1);
#endif
    if (chdir("/") == 0 && close_all(socket) && become_nobody()) {
#ifdef __linux__
        /* Not before: who becomes another user loses it. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        limit_all();
        if (forbid_calls())
            inside();
    }
    _exit(1);
}

pid_t lua_cage_start(void (*inside)(void), int *socket_r)
{
    int sockets[2];
    pid_t process;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return -1;
    process = fork();
    if (process == 0)
        run_inside(sockets[1], inside);
    close(sockets[1]);
    if (process < 0)
        close(sockets[0]);
    else
        *socket_r = sockets[0];
    return process;
}

int lua_cage_end(pid_t process)
{
    int status = -1;

    kill(process, SIGKILL);
    while (waitpid(process, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}
