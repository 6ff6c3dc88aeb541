/* status: what the daemon says of itself on its control socket. */

#include "ctl/command.h"
#include "ctl/control.h"

static enum ctl_status run_status(struct arguments *arguments)
{
    return control_askf(arguments, "status\n");
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
