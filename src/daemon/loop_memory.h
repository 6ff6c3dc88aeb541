/*
 * Memory for libevent. Where it is refused any, libevent 2.1 loses clients without closing them,
 * and in two places it follows a null pointer. So what malloc() refuses comes out of a reserve,
 * which costs nothing until it is touched; and while little of it is left, nobody new is accepted
 * over HTTP.
 */
#ifndef DAEMON_LOOP_MEMORY_H
#define DAEMON_LOOP_MEMORY_H

#include <stdbool.h>

/* Once, before libevent is used. */
void loop_memory_init(void);

/* Whether little of the reserve is left. */
bool loop_memory_is_low(void);

#endif
