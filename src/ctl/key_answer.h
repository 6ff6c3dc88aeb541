/* The daemon's answer to `keys`, a line a key, found by host: a file may have thousands of them. */
#ifndef CTL_KEY_ANSWER_H
#define CTL_KEY_ANSWER_H

#include "base/arena.h"
#include "base/name_table.h"

/* All zero: nothing is known. */
struct key_answer {
    struct arena names; /* of the hosts, as the lines spell them */
    struct name_table hosts;
};

/*
 * Takes in an answer (lines of logfmt, those of a host one behind the other, terminated), which is
 * borrowed. Returns 0, or -1 where memory is short. Released with key_answer_clear() in either case.
 */
__attribute__((warn_unused_result)) int key_answer_read(struct key_answer *answer,
                                                        const char *text);

/* The first line about a host of the configuration; NULL: there is none. Borrowed from the text. */
const char *key_answer_find(const struct key_answer *answer, const char *host);

/* The line behind one, where it is about the same host; else NULL. */
const char *key_answer_next(const char *line);

/* Frees what key_answer_read() made, and leaves nothing known. */
void key_answer_clear(struct key_answer *answer);

#endif
