/* top: the daemon's state live, on a terminal or as plain text. */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/number.h"
#include "ctl/ask.h"
#include "ctl/command.h"
#include "ctl/control.h"
#include "ctl/report.h"
#include "ctl/screen.h"
#include "ctl/top_view.h"

enum { INTERVAL_DEFAULT = 2, INTERVAL_MAX = 3600 };

/* Set by signals, which are let in only while waiting. */
static volatile sig_atomic_t ending;  /* the signal that asks for the end */
static volatile sig_atomic_t resized; /* another size, or back from having been stopped */
static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    if (number == SIGWINCH || number == SIGCONT)
        resized = 1;
    else if (number == SIGTSTP)
        stopping = 1;
    else
        ending = number;
}

static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT, SIGTSTP};

/* Handles the signals, and keeps them out until they are waited for. */
static void take_signals(sigset_t *open_r)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t closed;

    sigemptyset(&closed);
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
        sigaddset(&closed, handled[i]);
        sigaction(handled[i], &action, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &closed, open_r);
}

/* Ctrl-Z: the shell gets its terminal back as it was. */
static void stop(struct screen *screen, const sigset_t *open)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    struct sigaction old;
    sigset_t closed;

    screen_leave(screen);
    sigaction(SIGTSTP, &action, &old);
    raise(SIGTSTP);
    /* It takes effect as the signal is let in; the process goes on from here. */
    sigprocmask(SIG_SETMASK, open, &closed);
    sigprocmask(SIG_SETMASK, &closed, NULL);
    sigaction(SIGTSTP, &old, NULL);
    screen_enter(screen);
}

static int64_t now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

struct top {
    char path[sizeof(((struct talk *)NULL)->path)];
    int64_t interval_ms;
    bool once;
    sigset_t open;
    struct screen screen;
    struct top_view view;
};

/* Whether a key asks for the end. Standard input that ended can ask for nothing any more. */
static bool wants_end(bool *has_input)
{
    char keys[64];
    ssize_t got = read(STDIN_FILENO, keys, sizeof(keys));

    if (got == 0)
        *has_input = false;
    return got > 0 &&
           (memchr(keys, 'q', (size_t)got) != NULL || memchr(keys, 'Q', (size_t)got) != NULL);
}

static int draw(struct top *top)
{
    if (screen_begin(&top->screen) != 0)
        return -1;
    top_view_draw(&top->view, &top->screen);
    return screen_show(&top->screen);
}

/* Until the next answer is due. -1: that was the end. */
static int wait_until(struct top *top, int64_t due_ms)
{
    bool has_input = top->screen.is_terminal;

    while (ending == 0) {
        int64_t left = due_ms - now_ms();
        struct timespec time = {.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

        if (left <= 0)
            return 0;
        if (ppoll(&input, has_input ? 1 : 0, &time, &top->open) > 0 && wants_end(&has_input))
            return -1;
        if (stopping)
            stop(&top->screen, &top->open);
        if (stopping || resized) {
            screen_measure(&top->screen);
            if (draw(top) != 0)
                return -1;
        }
        stopping = 0;
        resized = 0;
    }
    return -1;
}

/* Asks the daemon. A daemon that is away is no reason to end: it may come back. */
static int ask(struct top *top)
{
    char *answer;
    int result;

    ctl_hold_complaints(top->view.complaint, sizeof(top->view.complaint));
    answer = control_fetch_soon(top->path, "status\n");
    result = top_view_take(&top->view, answer, now_ms());
    ctl_hold_complaints(NULL, 0);
    free(answer);
    return result;
}

static enum ctl_status watch(struct top *top)
{
    int64_t due_ms = now_ms();

    while (ending == 0) {
        if (ask(top) != 0)
            return CTL_ERROR;
        if (top->once && !top->view.has_now)
            return CTL_ERROR;
        if ((!top->once && top->screen.is_terminal) || top_view_has_rates(&top->view) ||
            !top->view.has_now) {
            if (draw(top) != 0)
                return CTL_ERROR;
            if (top->once)
                return CTL_YES;
        }
        due_ms += top->interval_ms;
        if (wait_until(top, due_ms) != 0)
            return CTL_YES;
        if (now_ms() > due_ms + top->interval_ms)
            due_ms = now_ms();
    }
    return CTL_YES;
}

static int take_interval(const struct arguments *arguments, int64_t *interval_ms_r)
{
    const char *text = arguments->values[OPTION_INTERVAL];
    int64_t seconds = INTERVAL_DEFAULT;

    if (text != NULL && (number_parse(text, strlen(text), &seconds) != 0 || seconds < 1 ||
                         seconds > INTERVAL_MAX)) {
        ctl_complain("--interval takes whole seconds, from 1 to %d", INTERVAL_MAX);
        return -1;
    }
    *interval_ms_r = seconds * 1000;
    return 0;
}

/* Finds out where to ask, and whether anybody answers there: else it complains and ends. */
static int find_daemon(struct top *top, const struct arguments *arguments)
{
    struct talk talk;

    if (ask_connect(&talk, arguments, OPTION_CONTROL) != 0)
        return -1;
    memcpy(top->path, talk.path, sizeof(top->path));
    talk_close(&talk);
    return 0;
}

static enum ctl_status run_top(struct arguments *arguments)
{
    struct top *top = calloc(1, sizeof(*top));
    enum ctl_status status = CTL_ERROR;

    if (top == NULL) {
        ctl_complain("memory is short");
    } else if (take_interval(arguments, &top->interval_ms) == 0 &&
               find_daemon(top, arguments) == 0) {
        top->once = arguments->values[OPTION_ONCE] != NULL;
        screen_init(&top->screen);
        if (top->once)
            top->screen.is_terminal = top->screen.has_styles = false;
        screen_measure(&top->screen);
        take_signals(&top->open);
        screen_enter(&top->screen);
        status = watch(top);
        screen_leave(&top->screen);
        if (status == CTL_ERROR)
            ctl_complain("%s", top->view.complaint[0] != '\0' ? top->view.complaint
                                                              : "what is shown can't be written");
    }
    free(top);
    return status;
}

const struct command command_top = {
    .word = "top",
    .operands = "",
    .options = OPTION_BIT(OPTION_CONTROL) | OPTION_BIT(OPTION_ONCE) | OPTION_BIT(OPTION_INTERVAL),
    .meaning = "show the running daemon's state live: rates, reasons, a history",
    .explanation =
        "Draws on the terminal until q or Ctrl-C; elsewhere it writes a page of text an\n"
        "interval. Only root and the daemon's own user may ask the daemon.\n",
    .run = run_top,
};
