/*
 * Verdicts in the log: a line each while there are few, sums by reason when there are many, so that
 * a flood of questions can't flood the log or slow the answers.
 */
#ifndef DAEMON_VERDICT_LOG_H
#define DAEMON_VERDICT_LOG_H

#include <stdint.h>

#include "base/moment.h"
#include "token/format.h"
#include "token/reason.h"
#include "wire/question.h"

/* Lines a second; beyond them verdicts are only summed up. */
enum { VERDICT_LINES_A_SECOND = 50 };

struct verdict_log {
    int64_t second; /* of the boot clock, that the lines are counted in */
    unsigned lines;
    uint64_t summed[REASON_COUNT];
};

/* What a line says beyond question and reason. */
struct verdict_details {
    const char *key;                   /* the name of the key that fits, or NULL */
    const struct token_format *format; /* of the host; NULL where it is unknown */
    int64_t clock_offset;              /* of `expired` and `early` */
    uint64_t connection;
};

/* Logs one verdict, or adds it to the sums. */
void verdict_log_write(struct verdict_log *log, const struct question *question, enum reason reason,
                       const struct verdict_details *details, struct moment now);

/* Writes the sums of a second that is over, if there are any. */
void verdict_log_flush(struct verdict_log *log, struct moment now);

#endif
