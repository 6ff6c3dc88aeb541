/* A verdict in a sentence that an operator understands. */
#ifndef CTL_EXPLAIN_H
#define CTL_EXPLAIN_H

#include "config/config.h"
#include "token/judge.h"

enum { EXPLANATION_SIZE = 1024 };

/*
 * Explains the verdict that token_judge() gave on a password at a time in seconds since the epoch
 * with the host's keys. Nothing of the password appears in it. Returns text_r.
 */
const char *explain_verdict(const struct token_verdict *verdict, const struct host *host,
                            const char *password, size_t password_length, int64_t seconds,
                            char text_r[EXPLANATION_SIZE]);

/* What a reason's word means for an operator and what to do, where the token is not at hand. A static
 * text; also for a word that is unknown here. */
const char *explain_reason(const char *word);

/* Explains that no host of the configuration judges a domain, and names the nearest. */
const char *explain_unknown_host(const struct config *config, const char *domain,
                                 char text_r[EXPLANATION_SIZE]);

#endif
