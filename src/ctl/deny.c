/* deny USER@HOST, and denied: who may not log in, though the web application lets him. */

#include <inttypes.h>

#include "ctl/command.h"
#include "ctl/control.h"
#include "ctl/prepared_jid.h"
#include "ctl/report.h"

static enum ctl_status run_deny(struct arguments *arguments)
{
    char jid[PREPARED_JID_SIZE];
    int64_t until = 0;

    if (prepared_jid_take(arguments->operands[0], jid) != 0 ||
        arguments_until(arguments, &until) != 0)
        return CTL_ERROR;
    if (arguments->values[OPTION_UNTIL] == NULL)
        return control_askf(arguments, "deny %s\n", jid);
    return control_askf(arguments, "deny %s %" PRId64 "\n", jid, until);
}

const struct command command_deny = {
    .word = "deny",
    .operands = "USER@HOST",
    .operands_min = 1,
    .operands_max = 1,
    .options = OPTION_BIT(OPTION_UNTIL) | OPTION_BIT(OPTION_CONTROL),
    .meaning = "let a user log in no more, or not until a time",
    .explanation = "From now on the running daemon answers no to this user's tokens, for the\n"
                   "reason `revoked`. It is on the disk when the command returns, and holds\n"
                   "whatever is restarted. Who is logged in already stays so: end the session\n"
                   "in the chat server.\n",
    .run = run_deny,
};

static enum ctl_status run_denied(struct arguments *arguments)
{
    return control_list(arguments, "denied\n");
}

const struct command command_denied = {
    .word = "denied",
    .operands = "",
    .options = OPTION_BIT(OPTION_CONTROL),
    .meaning = "list the users who are denied",
    .explanation = "Prints a line (key=value) for each, with the end of the denial.\n",
    .run = run_denied,
};
