#include "relay/relay.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "relay/asker.h"
#include "relay/clock.h"
#include "relay/framing.h"
#include "relay/report.h"
#include "relay/terminal.h"
#include "relay/upstream.h"

/* What has been read but not yet asked. The rest waits in the pipe, so a chat server that asks too
 * fast has to wait too. */
struct backlog {
    uint8_t bytes[2 * RELAY_QUESTION_MAX];
    size_t start;
    size_t end;
};

/* Drops the next bytes, and wipes them: they are passwords. */
static void drop(struct backlog *backlog, size_t length)
{
    explicit_bzero(backlog->bytes + backlog->start, length);
    backlog->start += length;
    if (backlog->start == backlog->end)
        backlog->start = backlog->end = 0;
}

static void make_room(struct backlog *backlog)
{
    size_t length = backlog->end - backlog->start;

    if (backlog->start == 0)
        return;
    memmove(backlog->bytes, backlog->bytes + backlog->start, length);
    explicit_bzero(backlog->bytes + length, backlog->end - length);
    backlog->start = 0;
    backlog->end = length;
}

/* Waits for more of the chat server's bytes, watching the idle connection to the daemon. -1: there
 * won't be any. */
static int read_more(struct backlog *backlog, struct relay_asker *asker,
                     struct relay_upstream *upstream)
{
    enum relay_wake wake;
    int length;

    do {
        wake = relay_asker_wait(asker, upstream->descriptor, POLLIN, true, RELAY_NEVER);
        if (wake == RELAY_WAKE_DAEMON)
            relay_upstream_check(upstream);
    } while (wake != RELAY_WAKE_INPUT && wake != RELAY_WAKE_GONE);
    if (wake == RELAY_WAKE_GONE)
        return -1;
    make_room(backlog);
    length = relay_asker_read(asker, backlog->bytes + backlog->end,
                              sizeof(backlog->bytes) - backlog->end);
    if (length == -1)
        return -1;
    backlog->end += (size_t)length;
    return 0;
}

static int answer(struct relay_asker *asker, enum relay_framing framing, bool yes)
{
    size_t length;
    const char *bytes = relay_answer_bytes(framing, yes, &length);

    if (relay_asker_wait_writable(asker, RELAY_NEVER) == RELAY_WAKE_GONE)
        return -1;
    return relay_asker_write(asker, bytes, length);
}

static enum relay_verdict ask(struct relay_asker *asker, struct relay_upstream *upstream,
                              enum relay_framing framing, const uint8_t *question, size_t length)
{
    if (asker->out_of_patience)
        return RELAY_VERDICT_NO;
    relay_asker_begin_question(asker);
    return relay_upstream_ask(upstream, asker, framing, question, length, false, RELAY_NEVER);
}

static void relay_stream(struct relay_asker *asker, struct relay_upstream *upstream)
{
    static struct backlog backlog;
    struct relay_framer framer = {.framing = RELAY_FRAMING_UNKNOWN};

    for (;;) {
        const uint8_t *next = backlog.bytes + backlog.start;
        size_t used;
        enum relay_item item = relay_framer_next(&framer, next, backlog.end - backlog.start, &used);
        enum relay_verdict verdict = RELAY_VERDICT_NO;

        if (item == RELAY_ITEM_QUESTION)
            verdict = ask(asker, upstream, framer.framing, next, used);
        if (item == RELAY_ITEM_REFUSED)
            relay_report(RELAY_EVENT_REFUSED,
                         "denied a question that can't be asked: empty, or over %d bytes",
                         RELAY_TEXT_MAX);
        drop(&backlog, used);
        if (verdict == RELAY_VERDICT_GONE)
            break;
        if (item != RELAY_ITEM_NONE &&
            answer(asker, framer.framing, verdict == RELAY_VERDICT_YES) == -1)
            break;
        if (item == RELAY_ITEM_NONE && read_more(&backlog, asker, upstream) == -1)
            break;
    }
    explicit_bzero(&backlog, sizeof(backlog));
}

void relay_run(const char *socket_path)
{
    struct relay_upstream upstream;
    struct relay_asker asker = {
        .in = STDIN_FILENO,
        .out = STDOUT_FILENO,
        .terminal = isatty(STDIN_FILENO) == 1,
    };

    relay_upstream_init(&upstream, socket_path);
    if (asker.terminal)
        relay_terminal_run(&asker, &upstream);
    else
        relay_stream(&asker, &upstream);
}
