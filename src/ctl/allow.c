/* allow USER@HOST: the end of a denial. */

#include "ctl/command.h"
#include "ctl/control.h"
#include "ctl/prepared_jid.h"

static enum ctl_status run_allow(struct arguments *arguments)
{
    char jid[PREPARED_JID_SIZE];

    if (prepared_jid_take(arguments->operands[0], jid) != 0)
        return CTL_ERROR;
    return control_askf(arguments, "allow %s\n", jid);
}

const struct command command_allow = {
    .word = "allow",
    .operands = "USER@HOST",
    .operands_min = 1,
    .operands_max = 1,
    .options = OPTION_BIT(OPTION_CONTROL),
    .meaning = "let a denied user log in again",
    .explanation = "The end of a denial is on the disk when the command returns.\n",
    .run = run_allow,
};
