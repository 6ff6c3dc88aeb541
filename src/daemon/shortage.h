/*
 * Memory that was refused at a moment at which somebody paid for it: a client was cut off, a
 * question could not be decided. Noted wherever it happens, and said in the log when the turn is
 * over.
 */
#ifndef DAEMON_SHORTAGE_H
#define DAEMON_SHORTAGE_H

#include "daemon/event_limit.h"

/* Memory was refused in this turn. */
void shortage_note(void);

/* Writes a line if it was, within the limit of such lines. Once a turn. */
void shortage_tell(struct event_limits *limits, struct moment now);

#endif
