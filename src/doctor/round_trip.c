#include "doctor/round_trip.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "wire/protocol.h"

/* A relay whose daemon is away answers after 4 s. */
enum { ANSWER_MILLISECONDS = 10000, END_MILLISECONDS = 2000, DESCRIPTORS_MAX = 1024 };

/* Whoever is asked: a process with a socket for its input and output, or the daemon itself. */
struct asked {
    int socket;
    pid_t process; /* 0: none */
    bool lines;
};

static bool become(const struct server_user *user)
{
    return geteuid() != 0 || user == NULL ||
           (initgroups(user->name, user->gid) == 0 &&
            setresgid(user->gid, user->gid, user->gid) == 0 &&
            setresuid(user->uid, user->uid, user->uid) == 0);
}

static _Noreturn void run_relay(const char *command, int socket, const struct server_user *user)
{
    static const char shell[] = "/bin/sh";
    char line[2048];
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (snprintf(line, sizeof(line), "exec %s", command) >= (int)sizeof(line) || null < 0 ||
        dup2(socket, STDIN_FILENO) < 0 || dup2(socket, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0 || chdir("/") != 0 || !become(user))
        _exit(127);
    for (int descriptor = STDERR_FILENO + 1; descriptor < DESCRIPTORS_MAX; descriptor++)
        close(descriptor);
    execl(shell, shell, "-c", line, (char *)NULL);
    _exit(127);
}

static int start_relay(struct asked *asked, const struct route *route,
                       const struct server_user *user)
{
    int sockets[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return -1;
    asked->process = fork();
    if (asked->process == 0)
        run_relay(route->command, sockets[1], user);
    close(sockets[1]);
    asked->socket = sockets[0];
    if (asked->process < 0)
        close(sockets[0]);
    return asked->process < 0 ? -1 : 0;
}

/* Runs in a process of its own, for the user is given up for good; hands the socket back. */
static _Noreturn void connect_as(const char *path, int back, const struct server_user *user)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    char byte = 0;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (!become(user) || descriptor < 0 ||
        connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) != 0)
        _exit(1);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(descriptor));
    _exit(sendmsg(back, &message, 0) == 1 ? 0 : 1);
}

/* The descriptor that came over a socket; -1: none. */
static int receive_descriptor(int from)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.bytes = {0}};
    char byte;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    int descriptor = -1;

    if (recvmsg(from, &message, MSG_CMSG_CLOEXEC) == 1 &&
        message.msg_controllen >= CMSG_LEN(sizeof(int)) && control.header.cmsg_type == SCM_RIGHTS)
        memcpy(&descriptor, CMSG_DATA(&control.header), sizeof(descriptor));
    return descriptor;
}

static int connect_to_daemon(struct asked *asked, const struct route *route,
                             const struct server_user *user)
{
    int sockets[2];
    pid_t process;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return -1;
    process = fork();
    if (process == 0)
        connect_as(route->socket, sockets[1], user);
    close(sockets[1]);
    asked->socket = process < 0 ? -1 : receive_descriptor(sockets[0]);
    close(sockets[0]);
    while (process > 0 && waitpid(process, NULL, 0) < 0 && errno == EINTR)
        continue;
    return asked->socket < 0 ? -1 : 0;
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Exactly size bytes within the time of an answer. */
static int receive(int socket, char *bytes_r, size_t size)
{
    int64_t deadline = now() + ANSWER_MILLISECONDS;

    while (size > 0) {
        struct pollfd watched = {.fd = socket, .events = POLLIN};
        int64_t left = deadline - now();
        ssize_t got;

        if (left <= 0 || poll(&watched, 1, (int)left) == 0)
            return -1;
        got = recv(socket, bytes_r, size, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return -1;
        bytes_r += got < 0 ? 0 : got;
        size -= got < 0 ? 0 : (size_t)got;
    }
    return 0;
}

static enum round_trip_answer read_answer(const struct asked *asked)
{
    static const char yes[] = {0, 2, 0, 1}, no[] = {0, 2, 0, 0};
    char answer[sizeof(yes)];
    size_t size = asked->lines ? 2 : sizeof(yes);

    if (receive(asked->socket, answer, size) != 0)
        return ROUND_TRIP_NONE;
    if (memcmp(answer, asked->lines ? "1\n" : yes, size) == 0)
        return ROUND_TRIP_YES;
    return memcmp(answer, asked->lines ? "0\n" : no, size) == 0 ? ROUND_TRIP_NO : ROUND_TRIP_NONE;
}

static enum round_trip_answer ask_one(const struct asked *asked, const char *host,
                                      const char *token)
{
    char bytes[REQUEST_MAX + REQUEST_OVERHEAD_MAX];
    int room = REQUEST_MAX;
    int length = snprintf(bytes + 2, (size_t)room, "auth:%s:%s:%s", ROUND_TRIP_USER, host, token);
    const char *from = asked->lines ? bytes + 2 : bytes;
    size_t size = (size_t)length + (asked->lines ? 1 : 2);
    enum round_trip_answer answer = ROUND_TRIP_NONE;

    if (length < 0 || length >= room)
        return answer;
    bytes[0] = (char)(length >> 8);
    bytes[1] = (char)(length & 0xff);
    bytes[length + 2] = '\n';
    if (send(asked->socket, from, size, MSG_NOSIGNAL) == (ssize_t)size)
        answer = read_answer(asked);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return answer;
}

/* A relay ends when its input does; whatever does not is killed. */
static void end(const struct asked *asked)
{
    int64_t deadline = now() + END_MILLISECONDS;

    close(asked->socket);
    while (asked->process > 0 && waitpid(asked->process, NULL, WNOHANG) == 0) {
        if (now() > deadline)
            kill(asked->process, SIGKILL);
        poll(NULL, 0, 10);
    }
}

void round_trip_ask(const struct route *route, const struct server_user *user,
                    const char *const *tokens, size_t count, enum round_trip_answer *answers_r)
{
    struct asked asked = {.socket = -1, .lines = route->lines};
    int result = route->command != NULL ? start_relay(&asked, route, user)
                                        : connect_to_daemon(&asked, route, user);

    for (size_t i = 0; i < count; i++)
        answers_r[i] = ROUND_TRIP_NONE;
    if (result != 0)
        return;
    for (size_t i = 0; i < count; i++) {
        answers_r[i] = ask_one(&asked, route->host, tokens[i]);
        if (answers_r[i] == ROUND_TRIP_NONE)
            break;
    }
    end(&asked);
}
