#include "relay/upstream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay/address.h"
#include "relay/clock.h"
#include "relay/report.h"

#define ANSWER_TIMEOUT 5000
/*
 * Counted from the start of an outage, not of a question: else every login that is queued behind
 * others waits in full, and ejabberd kills its programs when the 30 s of a question, queueing
 * included, are over.
 */
#define OUTAGE_PATIENCE 4000
#define RETRY_INTERVAL  75

/* Why a question can't go on; CONTINUE: it can. */
enum step { CONTINUE, RETRY, DENY, INTERRUPT, EXIT };

/* One question on its way. */
struct errand {
    struct relay_upstream *upstream;
    struct relay_asker *asker;
    enum relay_framing framing;
    const uint8_t *question;
    size_t length;
    bool interruptible;
    int64_t deadline;
};

void relay_upstream_init(struct relay_upstream *upstream, const char *path)
{
    *upstream = (struct relay_upstream){.path = path, .descriptor = -1, .outage_since = -1};
}

static void disconnect(struct relay_upstream *upstream)
{
    if (upstream->descriptor != -1)
        close(upstream->descriptor);
    upstream->descriptor = -1;
}

/*
 * Nothing may be readable while no question is out: it would be taken for the answer of the next
 * one. EOF and errors end the connection without a word, they are how a daemon restarts.
 */
void relay_upstream_check(struct relay_upstream *upstream)
{
    char byte;
    ssize_t length;

    if (upstream->descriptor == -1)
        return;
    /* Interrupted, it has not looked: a yes may be there that the next question did not earn. */
    do
        length = recv(upstream->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    while (length == -1 && errno == EINTR);
    if (length == -1 && errno == EAGAIN)
        return;
    if (length > 0)
        relay_report(RELAY_EVENT_UNSOLICITED,
                     "%s sent bytes that nobody had asked for; connection closed", upstream->path);
    disconnect(upstream);
}

/* 0, or the errno of why not. A full backlog (EAGAIN), a lack of descriptors or memory are failures
 * like any other. */
static int try_connect(struct relay_upstream *upstream)
{
    struct sockaddr_un address;
    int descriptor;

    if (relay_address(upstream->path, &address) == -1)
        return ENAMETOOLONG;
    descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor == -1)
        return errno;
    if (connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) == -1) {
        int reason = errno;

        close(descriptor);
        return reason;
    }
    upstream->descriptor = descriptor;
    return 0;
}

static enum step step_of(enum relay_wake wake)
{
    switch (wake) {
    case RELAY_WAKE_DAEMON:
        return CONTINUE;
    case RELAY_WAKE_INPUT:
        return INTERRUPT;
    case RELAY_WAKE_DEADLINE:
        return DENY;
    case RELAY_WAKE_GONE:
        break;
    }
    return EXIT;
}

static const char *describe(int reason)
{
    return reason == EAGAIN ? "too many connections are waiting for it" : strerror(reason);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Notes that the daemon could not be reached, and waits before the next attempt if there may be
 * one: RETRY. */
static enum step fail_attempt(const struct errand *errand, int reason)
{
    struct relay_upstream *upstream = errand->upstream;
    int64_t now = relay_now();
    enum step step;

    if (upstream->outage_since == -1) {
        upstream->outage_since = now;
        upstream->denied_in_outage = 0;
        relay_report(RELAY_EVENT_UNREACHABLE,
                     "%s can't be reached: %s; logins are denied until it can", upstream->path,
                     describe(reason));
    }
    /* No waiting will make a path shorter. */
    if (reason == ENAMETOOLONG || now - upstream->outage_since >= OUTAGE_PATIENCE)
        return DENY;
    step = step_of(relay_asker_wait(errand->asker, -1, 0, errand->interruptible,
                                    earlier(now + RETRY_INTERVAL, errand->deadline)));
    if (step != DENY)
        return step;
    return relay_now() >= errand->deadline || errand->asker->out_of_patience ? DENY : RETRY;
}

static void end_outage(struct relay_upstream *upstream)
{
    if (upstream->outage_since == -1)
        return;
    relay_report(RELAY_EVENT_RECOVERED,
                 "%s is reached again after %lld s; %u questions were denied", upstream->path,
                 (long long)(relay_now() - upstream->outage_since + 500) / 1000,
                 upstream->denied_in_outage);
    upstream->outage_since = -1;
}

static enum step give_up(const struct errand *errand, enum relay_event event, const char *what)
{
    relay_report(event, "%s %s; denied, connection closed", errand->upstream->path, what);
    return DENY;
}

/*
 * Hands the question to the connection. RETRY: this connection will never deliver any of it.
 *
 * The rule is that a question whose send() was accepted in any part belongs to that connection: the
 * kernel may have shown it to the daemon, which may have spent the token, and to ask again would be
 * answered "replayed". A send() that fails accepts nothing, so if it is the first one, the daemon
 * has seen not a byte (EPIPE: the daemon is gone, or being drained it has shut its receiving side)
 * and the question may be put on a new connection. A failure after a part was accepted proves
 * nothing, as a daemon may take the end of the stream for the end of a line.
 */
static enum step hand_over(const struct errand *errand, int64_t deadline)
{
    size_t sent = 0;

    while (sent < errand->length) {
        ssize_t length = send(errand->upstream->descriptor, errand->question + sent,
                              errand->length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        enum step step;

        if (length >= 0) {
            sent += (size_t)length;
            continue;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN)
            return sent == 0 ? RETRY : give_up(errand, RELAY_EVENT_CLOSED, "took half a question");
        step = step_of(relay_asker_wait(errand->asker, errand->upstream->descriptor, POLLOUT,
                                        errand->interruptible, deadline));
        if (step == DENY)
            return give_up(errand, RELAY_EVENT_SILENT, "did not take a question in time");
        if (step != CONTINUE)
            return step;
    }
    return CONTINUE;
}

/* Reads the answer: DENY for want of a valid one, CONTINUE with *yes_r. The deadline is one for the
 * whole answer. */
static enum step await_answer(const struct errand *errand, int64_t deadline, bool *yes_r)
{
    uint8_t answer[8];
    size_t length = 0;
    enum relay_answer state = RELAY_ANSWER_UNFINISHED;

    while (state == RELAY_ANSWER_UNFINISHED) {
        enum step step = step_of(relay_asker_wait(errand->asker, errand->upstream->descriptor,
                                                  POLLIN, errand->interruptible, deadline));
        ssize_t got;

        if (step == DENY)
            return give_up(errand, RELAY_EVENT_SILENT, "gave no answer in time");
        if (step != CONTINUE)
            return step;
        got = recv(errand->upstream->descriptor, answer + length, sizeof(answer) - length,
                   MSG_DONTWAIT);
        if (got == -1 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got <= 0)
            return give_up(errand, RELAY_EVENT_CLOSED, "closed the connection before its answer");
        length += (size_t)got;
        state = relay_answer_read(errand->framing, answer, length);
    }
    if (state == RELAY_ANSWER_GARBAGE)
        return give_up(errand, RELAY_EVENT_GARBAGE, "sent something that is no answer");
    *yes_r = state == RELAY_ANSWER_YES;
    return CONTINUE;
}

/* Connects, hands over, reads the answer. Whatever but CONTINUE comes back, the connection must not
 * be used again. */
static enum step run(const struct errand *errand, bool *yes_r)
{
    struct relay_upstream *upstream = errand->upstream;
    bool was_refused = false;

    for (;;) {
        int reason = 0;
        enum step step;

        relay_upstream_check(upstream);
        if (upstream->descriptor == -1)
            reason = try_connect(upstream);
        if (reason == 0) {
            int64_t deadline = earlier(relay_now() + ANSWER_TIMEOUT, errand->deadline);

            step = hand_over(errand, deadline);
            if (step == CONTINUE) {
                end_outage(upstream);
                return await_answer(errand, deadline, yes_r);
            }
            if (step != RETRY)
                return step;
            /* A drained daemon's successor is mostly there already: the first time, go on without a
             * pause. */
            reason = EPIPE;
            disconnect(upstream);
            if (!was_refused) {
                was_refused = true;
                continue;
            }
        }
        step = fail_attempt(errand, reason);
        if (step != RETRY)
            return step;
    }
}

enum relay_verdict relay_upstream_ask(struct relay_upstream *upstream, struct relay_asker *asker,
                                      enum relay_framing framing, const uint8_t *question,
                                      size_t length, bool interruptible, int64_t deadline)
{
    const struct errand errand = {
        .upstream = upstream,
        .asker = asker,
        .framing = framing,
        .question = question,
        .length = length,
        .interruptible = interruptible,
        .deadline = deadline,
    };
    bool yes = false;
    enum step step = run(&errand, &yes);

    if (step == CONTINUE)
        return yes ? RELAY_VERDICT_YES : RELAY_VERDICT_NO;
    disconnect(upstream);
    if (step == EXIT)
        return RELAY_VERDICT_GONE;
    if (upstream->outage_since != -1)
        upstream->denied_in_outage++;
    return step == INTERRUPT ? RELAY_VERDICT_INTERRUPTED : RELAY_VERDICT_NO;
}
