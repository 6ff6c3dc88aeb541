#include "relay/terminal.h"

#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "relay/clock.h"
#include "relay/report.h"

/* The module waits for 5 s. Both count from the earliest moment at which the question can have been
 * written. */
#define GIVE_UP_AFTER  4000
#define TOO_LATE_AFTER 4500
/* How often an idle relay looks that its input is empty. */
#define LOOK_INTERVAL 250

/*
 * What an earlier relay left for the next one: in the terminal's size in pixels, which nobody asks
 * a pseudo-terminal for. (lpty 1.2 puts back all of the terminal's settings at each start, so a
 * free slot of c_cc would not last.)
 */
#define MARK 0x7861
enum mark {
    MARK_NONE,
    MARK_IN_STEP,     /* the module has read all that was ever written to it */
    MARK_OUT_OF_STEP, /* it may not have */
};

struct terminal {
    struct relay_asker *asker;
    struct relay_upstream *upstream;
    int64_t arrival; /* the question in hand was not there before this moment */

    /* What has come since the last answer. */
    uint8_t bytes[RELAY_QUESTION_MAX];
    size_t length;
    bool begun;
    bool line_ended;
    bool overlong;
};

enum outcome { DONE, LATE, GONE };

static enum mark read_mark(int descriptor)
{
    struct winsize size;

    if (ioctl(descriptor, TIOCGWINSZ, &size) == -1 || size.ws_xpixel != MARK)
        return MARK_NONE;
    return size.ws_ypixel == MARK_IN_STEP ? MARK_IN_STEP : MARK_OUT_OF_STEP;
}

static void write_mark(int descriptor, enum mark mark)
{
    struct winsize size;

    if (ioctl(descriptor, TIOCGWINSZ, &size) == -1)
        return;
    size.ws_xpixel = MARK;
    size.ws_ypixel = (unsigned short)mark;
    (void)ioctl(descriptor, TIOCSWINSZ, &size);
}

/*
 * Bytes shall pass as they are, in both directions, and none come back. -1 if the terminal won't
 * have it, else whether it has echoed until now.
 */
static int make_transparent(int descriptor)
{
    struct termios settings;
    bool echoed;

    if (tcgetattr(descriptor, &settings) == -1)
        return -1;
    echoed = (settings.c_lflag & (tcflag_t)ECHO) != 0;
    settings.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    settings.c_iflag &=
        ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON | IXOFF | ISTRIP | PARMRK | BRKINT | IGNBRK);
    settings.c_oflag &= ~(tcflag_t)OPOST;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    /* tcsetattr() is content with a part of what it was asked for. */
    if (tcsetattr(descriptor, TCSANOW, &settings) == -1 || tcgetattr(descriptor, &settings) == -1)
        return -1;
    return (settings.c_lflag & (tcflag_t)(ECHO | ICANON)) == 0 ? echoed : -1;
}

static void forget(struct terminal *terminal)
{
    explicit_bzero(terminal->bytes, sizeof(terminal->bytes));
    terminal->length = 0;
    terminal->begun = terminal->line_ended = terminal->overlong = false;
}

/* The relay's end on this terminal. After this it must not read or write any more. */
static void leave(struct terminal *terminal, enum mark mark)
{
    forget(terminal);
    write_mark(terminal->asker->in, mark);
    tcflush(terminal->asker->in, TCIFLUSH);
}

/* Whether input is there. poll() sees all of what was written in one piece once it sees the first
 * byte of it. */
static enum relay_wake look(struct terminal *terminal)
{
    return relay_asker_wait(terminal->asker, -1, 0, true, relay_now());
}

static enum outcome read_input(struct terminal *terminal)
{
    uint8_t chunk[512];
    int length = relay_asker_read(terminal->asker, chunk, sizeof(chunk));

    if (length == -1)
        return GONE;
    if (length > 0) {
        size_t room = sizeof(terminal->bytes) - terminal->length;
        size_t kept = (size_t)length < room ? (size_t)length : room;

        memcpy(terminal->bytes + terminal->length, chunk, kept);
        terminal->length += kept;
        terminal->begun = true;
        terminal->overlong = terminal->overlong || kept < (size_t)length;
        terminal->line_ended = chunk[length - 1] == '\n';
    }
    explicit_bzero(chunk, sizeof(chunk));
    return DONE;
}

/* Waits for the first byte of a question, for ever, while keeping watch over the time of its
 * arrival. */
static enum outcome await_question(struct terminal *terminal)
{
    enum relay_wake wake;

    do {
        int64_t now = relay_now();

        wake = look(terminal);
        if (wake != RELAY_WAKE_DEADLINE)
            break;
        terminal->arrival = now;
        wake = relay_asker_wait(terminal->asker, terminal->upstream->descriptor, POLLIN, true,
                                now + LOOK_INTERVAL);
        if (wake == RELAY_WAKE_DAEMON)
            relay_upstream_check(terminal->upstream);
    } while (wake != RELAY_WAKE_INPUT && wake != RELAY_WAKE_GONE);
    return wake == RELAY_WAKE_GONE ? GONE : DONE;
}

/* Reads until the input ends with a line feed and nothing follows it. */
static enum outcome read_question(struct terminal *terminal)
{
    for (;;) {
        int64_t too_late = terminal->arrival + TOO_LATE_AFTER;
        enum relay_wake wake;

        if (relay_now() >= too_late)
            return LATE;
        wake = terminal->line_ended ? look(terminal)
                                    : relay_asker_wait(terminal->asker, -1, 0, true, too_late);
        if (wake == RELAY_WAKE_GONE || (wake == RELAY_WAKE_INPUT && read_input(terminal) == GONE))
            return GONE;
        if (wake == RELAY_WAKE_DEADLINE)
            return terminal->line_ended ? DONE : LATE;
    }
}

static enum outcome collect_question(struct terminal *terminal)
{
    forget(terminal);
    if (await_question(terminal) == GONE)
        return GONE;
    return read_question(terminal);
}

static enum relay_verdict judge(struct terminal *terminal)
{
    struct relay_framer framer = {.framing = RELAY_FRAMING_LINE};
    size_t used;
    enum relay_item item = relay_framer_next(&framer, terminal->bytes, terminal->length, &used);

    if (item != RELAY_ITEM_QUESTION || used != terminal->length || terminal->overlong) {
        relay_report(RELAY_EVENT_TERMINAL, "denied what is not one line on the terminal, unasked");
        return RELAY_VERDICT_NO;
    }
    return relay_upstream_ask(terminal->upstream, terminal->asker, RELAY_FRAMING_LINE,
                              terminal->bytes, terminal->length, true,
                              terminal->arrival + GIVE_UP_AFTER);
}

/*
 * Writes the answer unless it is too late. The input is looked at as the last thing but the clock:
 * whatever has come since the question makes the answer no.
 */
static enum outcome answer(struct terminal *terminal, enum relay_verdict verdict)
{
    size_t length;
    const char *bytes;
    int64_t now;

    for (;;) {
        int64_t too_late = terminal->arrival + TOO_LATE_AFTER;
        enum relay_wake wake = relay_asker_wait_writable(terminal->asker, too_late);
        enum outcome outcome;

        if (wake != RELAY_WAKE_DAEMON)
            return wake == RELAY_WAKE_GONE ? GONE : LATE;
        now = relay_now();
        wake = look(terminal);
        if (wake == RELAY_WAKE_GONE)
            return GONE;
        if (wake == RELAY_WAKE_DEADLINE)
            break;
        verdict = RELAY_VERDICT_NO;
        outcome = read_question(terminal);
        if (outcome != DONE)
            return outcome;
    }
    bytes = relay_answer_bytes(RELAY_FRAMING_LINE, verdict == RELAY_VERDICT_YES, &length);
    if (relay_now() >= terminal->arrival + TOO_LATE_AFTER)
        return LATE;
    if (relay_asker_write(terminal->asker, bytes, length) == -1)
        return GONE;
    terminal->arrival = now;
    return DONE;
}

/* A terminal on which no relay has run before. */
static enum outcome run_first(struct terminal *terminal, bool in_step)
{
    enum outcome outcome = collect_question(terminal);

    if (outcome == GONE)
        return GONE;
    relay_report(
        RELAY_EVENT_TERMINAL,
        "the first question on a terminal gets no answer, as the terminal may have echoed it");
    leave(terminal, outcome == DONE && in_step ? MARK_IN_STEP : MARK_OUT_OF_STEP);
    return DONE;
}

static enum outcome run_marked(struct terminal *terminal, bool in_step)
{
    for (;;) {
        enum outcome outcome = collect_question(terminal);

        if (outcome == DONE && in_step) {
            enum relay_verdict verdict = judge(terminal);

            outcome = verdict == RELAY_VERDICT_GONE ? GONE : answer(terminal, verdict);
        }
        if (outcome != DONE)
            return outcome;
        in_step = true;
    }
}

void relay_terminal_run(struct relay_asker *asker, struct relay_upstream *upstream)
{
    static struct terminal terminal;
    enum mark mark = read_mark(asker->in);
    int echoed = make_transparent(asker->in);
    bool in_step;
    enum outcome outcome;

    if (echoed == -1) {
        relay_report(RELAY_EVENT_SETUP, "the terminal's echo can't be turned off; no answers");
        return;
    }
    terminal.asker = asker;
    terminal.upstream = upstream;
    terminal.arrival = relay_process_birth();
    /*
     * No echo from here on: only of what is there already. Before the first relay, the module's
     * child has turned echo off too, but nobody knows whether before or after the question came.
     */
    in_step = (mark == MARK_IN_STEP && !echoed) || look(&terminal) != RELAY_WAKE_INPUT;
    if (mark == MARK_NONE)
        outcome = run_first(&terminal, in_step);
    else
        outcome = run_marked(&terminal, in_step && mark == MARK_IN_STEP);
    if (outcome == LATE) {
        relay_report(RELAY_EVENT_TERMINAL, "too late for an answer on the terminal: left it out");
        leave(&terminal, MARK_OUT_OF_STEP);
    }
    forget(&terminal);
}
