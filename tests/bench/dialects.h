/*
 * How the daemon and its peers are asked whether a login is good: a question's bytes, and what an
 * answer's say. Used by the client that asks them alike.
 */
#ifndef BENCH_DIALECTS_H
#define BENCH_DIALECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DIALECT_QUESTION_MAX = 512 };

struct login {
    const char *user;
    const char *host;
    const char *password;
};

enum answer_kind { ANSWER_YES, ANSWER_NO, ANSWER_NONE /* something that no question led to */ };

struct answer {
    enum answer_kind kind;
    uint32_t number; /* of the question, where answers have numbers; else 0 */
};

struct dialect {
    const char *word;
    bool one_a_connection; /* the server closes after its answer */

    /* What a connection begins with, for the index-th client: its size, at most
     * DIALECT_QUESTION_MAX. NULL where there is no such thing. */
    size_t (*greet)(uint8_t *place_r, size_t index);

    /* Writes the question of a number above 0: its size, at most DIALECT_QUESTION_MAX; 0 where it
     * would be longer. */
    size_t (*ask)(uint8_t *place_r, const struct login *login, uint32_t number);

    /* What the first bytes received say: how many of them that takes; 0 where more have to come;
     * -1 where they are no answer. */
    ssize_t (*hear)(const uint8_t *bytes, size_t size, struct answer *answer_r);
};

/* generic, ejabberd, saslauthd or dovecot; NULL for another word. */
const struct dialect *dialect_find(const char *word);

#endif
