/*
 * One line of logfmt (key=value key="a value"): the shape of every log line and of every answer on
 * the control socket. Values are made harmless: nothing that a peer names can start a line, end a
 * quote, or move a terminal's cursor.
 */
#ifndef BASE_LOGFMT_H
#define BASE_LOGFMT_H

#include <stddef.h>
#include <stdint.h>

/* A line never needs more than one atomic write to a pipe (PIPE_BUF is at least 4096 on Linux). */
enum { LOGFMT_LINE_MAX = 2048, LOGFMT_VALUE_MAX = 256 };

/* A zeroed line is an empty one. What does not fit is left out whole, key and value. */
struct logfmt {
    char text[LOGFMT_LINE_MAX]; /* not terminated */
    size_t length;
};

/*
 * Adds a value of length bytes, any bytes. Printable ASCII stays; other bytes become \xNN; blanks,
 * quotes and = bring quotes around the value. Beyond LOGFMT_VALUE_MAX bytes it is cut and ends in
 * "...".
 */
void logfmt_bytes(struct logfmt *line, const char *key, const char *value, size_t length);

/* Adds a terminated text; NULL adds nothing. */
void logfmt_text(struct logfmt *line, const char *key, const char *value);

/* Adds all that another line holds, if it fits whole. */
void logfmt_append(struct logfmt *line, const struct logfmt *other);

/* Adds a whole number. */
void logfmt_number(struct logfmt *line, const char *key, int64_t value);

#endif
