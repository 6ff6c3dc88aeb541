/* ping: whether the daemon answers, and how fast. */

#include <time.h>

#include "ctl/ask.h"
#include "ctl/command.h"

static double milliseconds_between(const struct timespec *start, const struct timespec *end)
{
    return (double)(end->tv_sec - start->tv_sec) * 1e3 +
           (double)(end->tv_nsec - start->tv_nsec) / 1e6;
}

static enum ctl_status run_ping(struct arguments *arguments)
{
    enum ctl_status status = CTL_ERROR;
    struct timespec start, end;
    struct talk talk;

    if (ask_connect(&talk, arguments, OPTION_SOCKET) != 0)
        return CTL_ERROR;
    clock_gettime(CLOCK_MONOTONIC, &start);
    if (ask_for_try_again(&talk) == 0) {
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("%s answers in %.3f ms\n", talk.path, milliseconds_between(&start, &end));
        status = CTL_YES;
    }
    talk_close(&talk);
    return status;
}

const struct command command_ping = {
    .word = "ping",
    .operands = "",
    .options = OPTION_BIT(OPTION_SOCKET),
    .meaning = "see whether the running daemon answers",
    .explanation = "Sends a question that is no login and counts as no verdict, and prints the\n"
                   "time to its answer.\n",
    .run = run_ping,
};
