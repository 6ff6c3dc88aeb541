#ifndef RELAY_CLOCK_H
#define RELAY_CLOCK_H

#include <stdint.h>

/* A deadline that never comes. */
#define RELAY_NEVER INT64_MAX

/* Milliseconds of the monotonic clock: setting the wall clock neither shortens nor lengthens a
 * deadline. */
int64_t relay_now(void);

/*
 * A moment of the same clock that is certainly not later than the birth of this process (its fork,
 * not its main()), or the present where the system does not tell. Milliseconds.
 */
int64_t relay_process_birth(void);

#endif
