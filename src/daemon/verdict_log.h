/*
 * Verdicts in the log: a line each while there are few, sums by reason when there are many, so that
 * a flood of questions can't flood the log or slow the answers. A verdict may be concluded later
 * than its question was read; what its line needs of the question is kept until then.
 */
#ifndef DAEMON_VERDICT_LOG_H
#define DAEMON_VERDICT_LOG_H

#include <stdint.h>

#include "base/logfmt.h"
#include "base/moment.h"
#include "token/format.h"
#include "token/reason.h"
#include "wire/question.h"

/* Lines a second, and lines that can wait for their verdict; beyond them verdicts are only summed
 * up. */
enum { VERDICT_LINES_A_SECOND = 50 };

/* A verdict without a line of its own. */
enum { NO_VERDICT_LINE = -1 };

struct verdict_log {
    int64_t second; /* of the boot clock, that the lines are counted in */
    int lines;
    uint64_t summed[REASON_COUNT];
    int free_places[VERDICT_LINES_A_SECOND];
    int free_count;
    struct logfmt waiting[VERDICT_LINES_A_SECOND]; /* what the question says, by place */
};

/* What a line says of the verdict itself. */
struct verdict_details {
    const char *key; /* the name of the key that fits, or NULL */
    const struct token_format
        *format;          /* of the host, for a clock offset; may be NULL where it is 0 */
    int64_t clock_offset; /* of `expired` and `early`; else 0 */
};

/* An empty log, all zero but for its free places. */
void verdict_log_init(struct verdict_log *log);

/*
 * Takes down what a line about a question needs; the question is not used afterwards. Returns the
 * line's place, to be given to verdict_log_conclude() exactly once, or NO_VERDICT_LINE where there
 * is no line to spare.
 */
int verdict_log_prepare(struct verdict_log *log, const struct question *question,
                        const struct verdict_details *details, uint64_t connection,
                        struct moment now);

/* Writes the line at a place with its verdict, or adds the verdict to the sums where it has none.
 */
void verdict_log_conclude(struct verdict_log *log, int place, enum reason reason);

/* Writes the sums of a second that is over, if there are any. */
void verdict_log_flush(struct verdict_log *log, struct moment now);

#endif
