/* What the operator and the past say about the user of a question: who exists, who is denied, who is
 * remembered. */
#ifndef DAEMON_USER_RULES_H
#define DAEMON_USER_RULES_H

#include "config/config.h"
#include "store/accounts.h"
#include "wire/question.h"

/* Whether the user exists as the host's isuser has it. */
bool user_exists(const struct host *host, const struct accounts *accounts,
                 const struct question *question);

/* Whether the operator has denied the user, at a time in seconds since the epoch. */
bool user_is_denied(const struct accounts *accounts, const struct question *question,
                    int64_t seconds);

/* Remembers the user of a genuine token where his host's isuser wants that. */
void user_note_seen(enum is_user_mode is_user, struct accounts *accounts,
                    const struct question *question, int64_t seconds);

#endif
