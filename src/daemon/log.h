/*
 * The daemon's log: logfmt lines on stderr. Under systemd's journal each has its syslog level in
 * front, else a time. Writing never blocks: what a stuck reader of stderr has no room for is
 * counted and reported later. Never handed a token, a secret, or a byte of a presented password.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include "base/logfmt.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* A line being made. */
struct log_line {
    struct logfmt fields;
};

/* Finds out what stderr is. Call once before anything else here. */
void log_init(void);

/* Lines less important than this are not written. LOG_LEVEL_INFO at first. */
void log_set_level(enum log_level level);

/* Whether lines of a level are written: to save the work of making them. */
int log_wants(enum log_level level);

/* Begins a line about an event (a word or words-with-hyphens). Add fields with logfmt_*() on
 * line->fields, then log_end(). */
void log_begin(struct log_line *line, enum log_level level, const char *event);

/* Writes the line, if its level is wanted. */
void log_end(struct log_line *line, enum log_level level);

/* A whole line with no or one text field. */
void log_event(enum log_level level, const char *event);
void log_event_text(enum log_level level, const char *event, const char *key, const char *value);

#endif
