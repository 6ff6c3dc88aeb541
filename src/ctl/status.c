/* status: what the daemon says of itself on its control socket. */

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "ctl/ask.h"
#include "ctl/command.h"
#include "ctl/report.h"

/* Passes bytes on as they come; nothing in them may move the terminal's cursor. */
static void pass_on(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        putchar(bytes[i] == '\n' || isprint((unsigned char)bytes[i]) ? bytes[i] : '?');
    fflush(stdout);
}

/* Up to the end that the daemon sets by closing. */
static int pass_all(struct talk *talk)
{
    static const char refusal[] = "error=";
    char bytes[4096];
    char last = '\0';
    bool refused = false;
    ssize_t got;

    while ((got = talk_receive(talk, bytes, sizeof(bytes))) > 0) {
        pass_on(bytes, (size_t)got);
        if (last == '\0' && (size_t)got >= strlen(refusal))
            refused = memcmp(bytes, refusal, strlen(refusal)) == 0;
        last = bytes[got - 1];
    }
    if (got < 0)
        return -1;
    if (last != '\n')
        ctl_complain("%s was closed %s: only root and the daemon's own user may ask there",
                     talk->path, last == '\0' ? "without an answer" : "in the middle of a line");
    else if (refused)
        ctl_complain("%s refused: is the daemon as new as this xmpp-authctl?", talk->path);
    return last == '\n' && !refused ? 0 : -1;
}

static enum ctl_status run_status(struct arguments *arguments)
{
    static const char request[] = "status\n";
    enum ctl_status status = CTL_ERROR;
    struct talk talk;

    if (ask_connect(&talk, arguments, OPTION_CONTROL) != 0)
        return CTL_ERROR;
    if (talk_send(&talk, request, sizeof(request) - 1) == 0 && pass_all(&talk) == 0)
        status = CTL_YES;
    talk_close(&talk);
    return status;
}

const struct command command_status = {
    .word = "status",
    .operands = "",
    .options = OPTION_BIT(OPTION_CONTROL),
    .meaning = "show the running daemon's state: uptime, connections, verdicts",
    .explanation =
        "Prints the lines (key=value) that the daemon's control socket gives. Only root\n"
        "and the daemon's own user may ask there.\n",
    .run = run_status,
};
