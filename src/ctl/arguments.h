/*
 * The command line, taken apart: options in any place, before or after the command. What was given
 * is never repeated in a complaint, unless it looks like a word of ours: a token or a secret pasted
 * in the wrong place must not end up on a screen or in a log.
 */
#ifndef CTL_ARGUMENTS_H
#define CTL_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option {
    OPTION_CONFIG,
    OPTION_TIME,
    OPTION_NONCE,
    OPTION_SECRETS,
    OPTION_KEY,
    OPTION_TOKEN_FILE,
    OPTION_SOCKET,
    OPTION_PROTOCOL,
    OPTION_CONTROL,
    OPTION_UNTIL,
    OPTION_NAME,
    OPTION_WRITE,
    OPTION_V2,
    OPTION_LIFETIME,
    OPTION_EJABBERD,
    OPTION_PROSODY,
    OPTION_USER,
    OPTION_FIX,
    OPTION_LOGFMT,
    OPTION_IGNORE,
    OPTION_OFFLINE,
    OPTION_CACERT,
    OPTION_ONCE,
    OPTION_INTERVAL,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_COUNT
};

#define OPTION_BIT(option) (1U << (option))

struct option_description {
    const char *word;  /* with its dashes */
    const char *alias; /* another spelling, or NULL */
    const char *value; /* what it takes, as usage shows it; NULL: nothing */
    const char *meaning;
};

extern const struct option_description option_descriptions[OPTION_COUNT];

enum { OPERANDS_MAX = 3 };

struct arguments {
    const char *values[OPTION_COUNT]; /* NULL: not given; "" for an option that takes nothing */
    char *command;                    /* NULL: none */
    char *operands[OPERANDS_MAX];     /* what follows the command; borrowed from argv, and to be
                                         wiped there where they are secret */
    size_t operand_count;             /* also counts those beyond OPERANDS_MAX */
};

/* Takes argv apart, argv[0] excepted. Returns 0, or -1 after a complaint. */
__attribute__((warn_unused_result)) int arguments_parse(int argc, char **argv,
                                                        struct arguments *arguments_r);

/*
 * The time of --time in seconds since the epoch (0 to the end of the year 9999; written so, or as
 * RFC 3339 has it), or the clock's where it was not given. Returns 0, or -1 after a complaint.
 */
__attribute__((warn_unused_result)) int arguments_time(const struct arguments *arguments,
                                                       int64_t *seconds_r);

/* The time of --until, which must be to come; nothing is written where it was not given. Returns 0,
 * or -1 after a complaint. */
__attribute__((warn_unused_result)) int arguments_until(const struct arguments *arguments,
                                                        int64_t *seconds_r);

/* Whether a word looks like one of ours, and may be repeated: lower case letters and dashes, short.
 */
bool arguments_may_repeat(const char *word);

#endif
