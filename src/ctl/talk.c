#include "ctl/talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl/report.h"

/* How long to wait before a full backlog is tried again, in milliseconds. */
enum { BACKLOG_PAUSE = 20 };

enum { TALK_MILLISECONDS = TALK_SECONDS * 1000 };

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Waits for events, but for no longer than milliseconds and the deadline. 0, or -1 where that has
 * passed. */
static int wait_for(const struct talk *talk, short events, int64_t milliseconds)
{
    struct pollfd watched = {.fd = talk->descriptor, .events = events};
    int64_t left = talk->deadline - now();

    if (left <= 0) {
        ctl_complain("no answer from %s within %d s", talk->path, TALK_SECONDS);
        return -1;
    }
    poll(&watched, events == 0 ? 0 : 1, (int)(left < milliseconds ? left : milliseconds));
    return 0;
}

static void complain_of_connect(const char *path, int cause)
{
    const char *advice = "";

    if (cause == ENOENT)
        advice = ": is xmpp-authd running, and is this its socket?";
    else if (cause == ECONNREFUSED)
        advice = ": xmpp-authd is not running";
    else if (cause == EACCES)
        advice = ": only the socket's owner and group may ask; join the group or be root";
    ctl_complain("%s: %s%s", path, strerror(cause), advice);
}

static int connect_in_time(struct talk *talk, const struct sockaddr_un *address)
{
    while (connect(talk->descriptor, (const struct sockaddr *)address, sizeof(*address)) != 0) {
        if (errno != EAGAIN && errno != EINTR) {
            complain_of_connect(talk->path, errno);
            return -1;
        }
        /* The backlog is full. */
        if (wait_for(talk, 0, BACKLOG_PAUSE) != 0)
            return -1;
    }
    return 0;
}

int talk_open(struct talk *talk_r, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct talk talk = {.deadline = now() + TALK_MILLISECONDS};

    if (strlen(path) >= sizeof(address.sun_path)) {
        ctl_complain("a socket's path has at most %zu bytes", sizeof(address.sun_path) - 1);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    memcpy(talk.path, path, strlen(path) + 1);
    talk.descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (talk.descriptor < 0) {
        ctl_complain("no socket can be made: %s", strerror(errno));
        return -1;
    }
    if (connect_in_time(&talk, &address) != 0) {
        close(talk.descriptor);
        return -1;
    }
    *talk_r = talk;
    return 0;
}

/* After a failed call: 0 where it is to be tried again, -1 after a complaint. */
static int recover(const struct talk *talk, short events)
{
    if (errno == EAGAIN)
        return wait_for(talk, events, TALK_MILLISECONDS);
    if (errno == EINTR)
        return 0;
    ctl_complain("%s: %s", talk->path, strerror(errno));
    return -1;
}

int talk_send(struct talk *talk, const void *bytes, size_t size)
{
    const char *rest = bytes;

    while (size > 0) {
        ssize_t sent = send(talk->descriptor, rest, size, MSG_NOSIGNAL);

        /* Closed by the daemon: whoever reads the answer learns of it, and knows what to say. */
        if (sent < 0 && errno == EPIPE)
            return 0;
        if (sent < 0 && recover(talk, POLLOUT) != 0)
            return -1;
        if (sent > 0) {
            rest += sent;
            size -= (size_t)sent;
        }
    }
    return 0;
}

ssize_t talk_receive(struct talk *talk, void *bytes_r, size_t size)
{
    ssize_t got;

    while ((got = recv(talk->descriptor, bytes_r, size, 0)) < 0) {
        if (errno == ECONNRESET)
            return 0;
        if (recover(talk, POLLIN) != 0)
            return -1;
    }
    return got;
}

int talk_receive_all(struct talk *talk, void *bytes_r, size_t size)
{
    char *rest = bytes_r;

    while (size > 0) {
        ssize_t got = talk_receive(talk, rest, size);

        if (got < 0)
            return -1;
        if (got == 0) {
            ctl_complain("%s was closed without an answer: may this user connect (allow_users, "
                         "allow_groups), and has the daemon room (max_connections)?",
                         talk->path);
            return -1;
        }
        rest += got;
        size -= (size_t)got;
    }
    return 0;
}

void talk_extend(struct talk *talk)
{
    talk->deadline = now() + TALK_MILLISECONDS;
}

void talk_close(struct talk *talk)
{
    close(talk->descriptor);
    talk->descriptor = -1;
}
