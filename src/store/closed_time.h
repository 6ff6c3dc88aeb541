/*
 * The stretches of wall-clock time that are closed for good: a record of a token spent in them was
 * dropped, so a token of such a step may have been spent and nobody would know. A clock that is put
 * back must not open them again.
 */
#ifndef STORE_CLOSED_TIME_H
#define STORE_CLOSED_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More stretches than a year of odd minutes; beyond that the two nearest to each other are made
 * one. */
enum { CLOSED_STRETCHES_MAX = 512 };

struct stretch {
    int64_t begin; /* seconds since the epoch, inclusive */
    int64_t end;   /* exclusive */
};

struct closed_time {
    size_t count;
    struct stretch stretches[CLOSED_STRETCHES_MAX + 1]; /* in order, apart from each other */
};

/* Closes begin .. end (begin < end). Never fails: where there are too many stretches, time between
 * two is closed too. */
void closed_time_add(struct closed_time *closed, struct stretch stretch);

/* Whether any moment of begin .. end is closed. */
bool closed_time_touches(const struct closed_time *closed, struct stretch stretch);

#endif
