/* Questions that are to be refused, made of good ones and of the same length: every kind takes as much
 * to read. */
#ifndef BENCH_FLOOD_H
#define BENCH_FLOOD_H

#include "questions.h"

enum flood_kind {
    FLOOD_GOOD,
    FLOOD_FORGED,
    FLOOD_STALE,           /* genuine, an hour old */
    FLOOD_REPLAYED,        /* good: ask them twice */
    FLOOD_MALFORMED_TOKEN, /* no token by its shape */
    FLOOD_MALFORMED,       /* no question */
    FLOOD_UNKNOWN_HOST,
    FLOOD_KINDS
};

/* A kind's word ("forged", "malformed-token"), static; and the kind of a word: 0, or -1. */
const char *flood_word(enum flood_kind kind);
__attribute__((warn_unused_result)) int flood_kind_find(const char *word, enum flood_kind *kind_r);

/* Writes count framed questions of a kind to frames_r, each with a token of its own. 0, or -1 where
 * OpenSSL fails. */
__attribute__((warn_unused_result)) int flood_mint(struct minter *minter, enum flood_kind kind,
                                                   const struct framing *framing, uint8_t *frames_r,
                                                   size_t count);

#endif
