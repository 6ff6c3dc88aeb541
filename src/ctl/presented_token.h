/* The token to be checked or asked about: from the command line, a file, or standard input. */
#ifndef CTL_PRESENTED_TOKEN_H
#define CTL_PRESENTED_TOKEN_H

#include "ctl/arguments.h"
#include "wire/protocol.h"

struct presented_token {
    char text[REQUEST_MAX]; /* any bytes but LF, not terminated */
    size_t length;          /* 1 or more */
};

/* Whether the token is to come from standard input, as far as the arguments say. */
bool presented_token_is_piped(const struct arguments *arguments);

/*
 * Takes the token from the second operand, which is wiped so that `ps` no longer shows it; from the
 * first line of --token-file; or, without either or for `-`, from one line of standard input, of
 * which nothing more is read. The line's LF, and a CR before it, are dropped. Returns 0, or -1
 * after a complaint. To be wiped with presented_token_wipe() either way.
 */
__attribute__((warn_unused_result)) int presented_token_take(const struct arguments *arguments,
                                                             struct presented_token *token_r);

void presented_token_wipe(struct presented_token *token);

#endif
