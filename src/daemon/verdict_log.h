/*
 * Verdicts in the log: a line each while there are few, sums by host and reason when there are many,
 * so that a flood of questions can't flood the log or slow the answers, nor one host's drown
 * another's. A verdict may be concluded later than its question was read; what its line needs of
 * the question is kept until then.
 */
#ifndef DAEMON_VERDICT_LOG_H
#define DAEMON_VERDICT_LOG_H

#include <stdint.h>

#include "base/logfmt.h"
#include "base/moment.h"
#include "token/reason.h"
#include "wire/question.h"

struct tally_host;
struct verdict_facts;

/*
 * Lines a second for all hosts and for one of them; the first of each host comes on top. Beyond them
 * verdicts are only summed up. Hosts that are summed up by name in a second; those beyond them share
 * one sum without a name.
 */
enum { VERDICT_LINES_A_SECOND = 50, VERDICT_LINES_OF_A_HOST = 40 };
enum { VERDICT_SUMS = 16 };

/* Lines that can wait for their verdict. */
enum { VERDICT_PLACES = VERDICT_LINES_A_SECOND + VERDICT_SUMS };

/* A verdict without a line of its own. */
enum { NO_VERDICT_LINE = -1 };

/* What one host has had in this second. */
struct verdict_sum {
    const struct tally_host *host; /* NULL: none, or the questions about no served one */
    int lines;
    uint64_t counts[REASON_COUNT];
};

struct verdict_log {
    int64_t second; /* of the boot clock, that the lines are counted in */
    int lines;
    struct verdict_sum sums[VERDICT_SUMS]; /* a host knows its place: tally_host.log_place */
    size_t sum_count;
    struct verdict_sum others;
    int free_places[VERDICT_PLACES];
    int free_count;
    struct logfmt waiting[VERDICT_PLACES]; /* what the question says, by place */
};

/* The word of a kind of question: auth, isuser, or other. */
const char *verdict_question_word(enum question_kind kind);

/* An empty log, all zero but for its free places. */
void verdict_log_init(struct verdict_log *log);

/*
 * Takes down what a line about a question needs; the question is not used afterwards. Returns the
 * line's place, to be given to verdict_log_conclude() exactly once, or NO_VERDICT_LINE where there
 * is no line to spare.
 */
int verdict_log_prepare(struct verdict_log *log, const struct verdict_facts *facts);

/* Writes the line at a place with its verdict, or adds the verdict to the sums where it has none.
 * The host (NULL: none) is borrowed until the sums are written. */
void verdict_log_conclude(struct verdict_log *log, int place, struct tally_host *host,
                          enum reason reason);

/* Writes the sums of a second that is over, if there are any. */
void verdict_log_flush(struct verdict_log *log, struct moment now);

/* Writes them now: their hosts are about to go. */
void verdict_log_write_sums(struct verdict_log *log);

#endif
