/*
 * All that is written down about verdicts: log, counts, flight recorder, minters' clocks. A verdict
 * is entered when it is known; of a question whose verdict comes later, what is needed then is
 * noted, for the question is gone by that time.
 */
#ifndef DAEMON_VERDICT_BOOK_H
#define DAEMON_VERDICT_BOOK_H

#include "base/moment.h"
#include "daemon/flight_recorder.h"
#include "daemon/tally.h"
#include "daemon/verdict_log.h"
#include "token/format.h"
#include "wire/question.h"

struct verdict_book {
    struct tally *tally; /* borrowed */
    struct verdict_log log;
    struct flight_recorder recorder;
    uint64_t entered_at_once; /* in this turn */
    int64_t turn_began_ns;    /* when their questions were read */
};

/* What is known when a question has been judged. */
struct verdict_facts {
    const struct question *question;
    struct moment now;
    uint64_t connection;               /* a name for the log */
    uint64_t user;                     /* verdict_book_expect() */
    struct tally_host *row;            /* of the host; NULL: none */
    struct tally_key *key;             /* the one that fits a genuine token; NULL: none */
    const struct token_format *format; /* of a genuine token */
    int64_t clock_offset;              /* of `expired` and `early`; else 0 */
    uint64_t token;                    /* names a genuine token */
    bool is_genuine;                   /* its signature is right, by whatever key */
};

/* What is kept of them for a verdict that comes later. */
struct verdict_note {
    struct moment asked;
    struct tally_host *row; /* held */
    struct tally_key *key;
    uint64_t user; /* of the flight recorder; 0: none */
    int32_t clock_offset;
    int line; /* in the log */
    enum question_kind question;
    bool is_genuine; /* its token's signature is right */
};

/* An empty book; tally is borrowed. 0, or -1 where memory is short; released with
 * verdict_book_deinit() in both cases. */
__attribute__((warn_unused_result)) int verdict_book_init(struct verdict_book *book,
                                                          struct tally *tally);
void verdict_book_deinit(struct verdict_book *book);

/* Whose verdict is to come, for its facts; 0: of nobody. To be called while a signature is still to be
 * computed, which takes about as long as the memory of what will be entered takes to come. */
uint64_t verdict_book_expect(const struct verdict_book *book, const struct question *question);

/* Enters a verdict on a question that was read in this turn. */
void verdict_book_enter(struct verdict_book *book, const struct verdict_facts *facts,
                        enum reason reason);

/* Notes a question whose verdict comes later, in this turn or another; its note is given to
 * verdict_book_conclude() exactly once. */
void verdict_book_note(struct verdict_book *book, const struct verdict_facts *facts,
                       struct verdict_note *note_r);
void verdict_book_conclude(struct verdict_book *book, struct verdict_note *note,
                           enum reason reason);

/* Writes what is summed up under rows that the tally is about to lose: before it follows another
 * configuration. */
void verdict_book_settle(struct verdict_book *book);

/* Counts how long the verdicts entered in this turn took, at its end: now on the boot clock. */
void verdict_book_end_turn(struct verdict_book *book, int64_t now_ns);

/* What is due about once a second. */
void verdict_book_tick(struct verdict_book *book, struct moment now);

#endif
