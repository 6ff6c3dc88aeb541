#include "relay/asker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "relay/clock.h"

#ifdef POLLRDHUP
#define HALF_CLOSED POLLRDHUP
#else
#define HALF_CLOSED 0
#endif

/* How long an answer may take once the chat server has closed its side and can hardly want it any
 * more. */
#define PATIENCE 500

enum { IN, OUT, DAEMON, DESCRIPTORS };

static int milliseconds_until(int64_t deadline)
{
    int64_t rest;

    if (deadline == RELAY_NEVER)
        return -1;
    rest = deadline - relay_now();
    if (rest <= 0)
        return 0;
    return rest < INT_MAX ? (int)rest : INT_MAX;
}

/* Judges the chat server's descriptors; true if it is gone. */
static bool is_gone(struct relay_asker *asker, short in, short out, bool input)
{
    if ((out & (POLLERR | POLLHUP | POLLNVAL)) != 0 || (in & (POLLERR | POLLNVAL)) != 0)
        return true;
    if ((in & (POLLHUP | HALF_CLOSED)) == 0)
        return false;
    if (asker->terminal)
        return true;
    if (!input && !asker->ended) {
        asker->ended = true;
        asker->patience_end = relay_now() + PATIENCE;
    }
    return false;
}

/* EINTR, or a lack of memory, which passes: neither is a reason to exit. */
static void pause_after_failure(void)
{
    if (errno != EINTR)
        usleep(10000);
}

enum relay_wake relay_asker_wait(struct relay_asker *asker, int daemon, short events, bool input,
                                 int64_t deadline)
{
    for (;;) {
        /* An ended input would wake poll() for ever. */
        struct pollfd polled[DESCRIPTORS] = {
            [IN] = {.fd = asker->ended && !input ? -1 : asker->in,
                    .events = (short)((input ? POLLIN : 0) | HALF_CLOSED)},
            [OUT] = {.fd = asker->out},
            [DAEMON] = {.fd = daemon, .events = events},
        };
        int64_t end = deadline;
        int ready;

        if (asker->ended && !input && asker->patience_end < end)
            end = asker->patience_end;
        ready = poll(polled, DESCRIPTORS, milliseconds_until(end));
        if (ready > 0 && is_gone(asker, polled[IN].revents, polled[OUT].revents, input))
            return RELAY_WAKE_GONE;
        if (ready > 0 && input && polled[IN].revents != 0)
            return RELAY_WAKE_INPUT;
        if (relay_now() >= end) {
            asker->out_of_patience = asker->out_of_patience || end < deadline;
            return RELAY_WAKE_DEADLINE;
        }
        if (ready > 0 && polled[DAEMON].revents != 0)
            return RELAY_WAKE_DAEMON;
        if (ready == -1)
            pause_after_failure();
    }
}

int relay_asker_read(struct relay_asker *asker, uint8_t *buffer, size_t size)
{
    ssize_t length = read(asker->in, buffer, size < INT_MAX ? size : INT_MAX);

    if (length > 0)
        return (int)length;
    if (length == -1 && (errno == EINTR || errno == EAGAIN || errno == ENOMEM))
        return 0;
    return -1;
}

void relay_asker_begin_question(struct relay_asker *asker)
{
    if (asker->ended)
        asker->patience_end = relay_now() + PATIENCE;
}

enum relay_wake relay_asker_wait_writable(struct relay_asker *asker, int64_t deadline)
{
    for (;;) {
        struct pollfd polled = {.fd = asker->out, .events = POLLOUT};
        int ready = poll(&polled, 1, milliseconds_until(deadline));

        if (ready == -1)
            pause_after_failure();
        if (ready > 0 && (polled.revents & POLLOUT) != 0)
            return RELAY_WAKE_DAEMON;
        if (ready > 0)
            return RELAY_WAKE_GONE;
        if (relay_now() >= deadline)
            return RELAY_WAKE_DEADLINE;
    }
}

int relay_asker_write(struct relay_asker *asker, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(asker->out, bytes, length);

        if (written >= 0) {
            bytes += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS) {
            /* The pipe may have room where memory for it is lacking. */
            if (errno != EAGAIN)
                pause_after_failure();
            if (relay_asker_wait_writable(asker, RELAY_NEVER) == RELAY_WAKE_GONE)
                return -1;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}
