/* A line of an answer on the control socket. */
#ifndef DAEMON_ANSWER_LINE_H
#define DAEMON_ANSWER_LINE_H

#include <event2/buffer.h>

#include "base/logfmt.h"

/* Appends the line and its end. */
static inline void answer_line_write(const struct logfmt *line, struct evbuffer *output)
{
    evbuffer_add(output, line->text, line->length);
    evbuffer_add(output, "\n", 1);
}

#endif
