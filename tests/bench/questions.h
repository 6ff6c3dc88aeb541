/* Framed questions in one stretch of memory, all of the same size, made before the clock starts. */
#ifndef BENCH_QUESTIONS_H
#define BENCH_QUESTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "mint.h"

struct framing {
    const char *word;
    size_t question_size; /* bytes of a framed question */
    size_t answer_size;   /* bytes of an answer */
    const uint8_t *yes;   /* the answer that says yes */
};

struct question_set {
    const struct framing *framing;
    uint8_t *bytes; /* count framed questions, one behind the other */
    size_t count;
};

/* The framing of a name, "generic" or "ejabberd"; NULL for another. */
const struct framing *framing_find(const char *word);

/* Makes count fresh questions. 0, or -1 where memory is short or OpenSSL fails. Freed with
 * question_set_clear(). */
__attribute__((warn_unused_result)) int question_set_fill(struct question_set *set_r,
                                                          const struct framing *framing,
                                                          struct minter *minter, size_t count);

/* Frees the questions and leaves the set empty. */
void question_set_clear(struct question_set *set);

/* Writes one question's text in its frame: framing->question_size bytes. */
void framing_write(const struct framing *framing, const char text[MINT_QUESTION_LENGTH],
                   uint8_t *place_r);

#endif
