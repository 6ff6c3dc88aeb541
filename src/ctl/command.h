/* The subcommands: one table drives dispatch, usage and --help. Each has a file of its own. */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stddef.h>
#include <stdio.h>

#include "ctl/arguments.h"

/* What the program's exit status says. */
enum ctl_status {
    CTL_YES = 0,     /* done, allow, or yes */
    CTL_NO = 1,      /* deny, or no */
    CTL_ERROR = 2,   /* it could not be done or decided; standard error says why */
    CTL_UNJUDGED = 3 /* doctor's: yes, as far as could be judged */
};

struct command {
    const char *word;
    const char *operands; /* as usage shows them; "" for none */
    size_t operands_min;
    size_t operands_max;
    unsigned options; /* those it takes: bits 1 << enum option; -c and --help go without saying */
    const char *meaning;
    const char *explanation; /* for its own --help: whole lines */
    enum ctl_status (*run)(struct arguments *arguments);
};

extern const struct command command_keygen;
extern const struct command command_rotate;
extern const struct command command_keys;
extern const struct command command_mint;
extern const struct command command_check;
extern const struct command command_query;
extern const struct command command_ping;
extern const struct command command_status;
extern const struct command command_top;
extern const struct command command_why;
extern const struct command command_deny;
extern const struct command command_allow;
extern const struct command command_denied;
extern const struct command command_users;
#ifdef HAVE_DOCTOR
extern const struct command command_doctor;
extern const struct command command_check_minter;
#endif

/* The command of that name, or NULL after a complaint that names the nearest. */
const struct command *command_find(const char *word);

/* Whether the operands and options that were given are the command's; complains where not. */
int command_accepts(const struct command *command, const struct arguments *arguments);

/* Writes the usage of a command, or (NULL) of the program. */
void command_usage(const struct command *command, FILE *stream);

#endif
