/*
 * From question to answer: the one place that says yes. It holds what is remembered between
 * questions and counts the verdicts; it knows nothing of sockets.
 */
#ifndef DAEMON_AUTHORITY_H
#define DAEMON_AUTHORITY_H

#include "config/config.h"
#include "daemon/denial_watch.h"
#include "daemon/tally.h"
#include "daemon/verdict_book.h"
#include "store/accounts.h"
#include "store/spent_store.h"
#include "wire/protocol.h"

struct pending_answer;

/*
 * Who is to be told an answer that was not known at once. The asker embeds it and may withdraw it
 * (asker_withdraw); the authority forgets it once it has answered.
 */
struct asker {
    void (*answer)(struct asker *asker, enum answer answer);
    uint64_t connection; /* a name for the log */
    struct pending_answer *pending;
};

STAILQ_HEAD(pending_list, pending_answer);

/* So many hosts and keys are no longer in the processor's caches by themselves. */
enum { MANY_HOSTS = 64 };

struct authority {
    const struct config *config; /* borrowed; swapped by a reload */
    struct spent_store *store;   /* owned */
    struct accounts *accounts;   /* borrowed */
    struct denial_watch denials;
    bool accounts_fail;            /* logged already */
    const char *logged_failure;    /* of the store */
    struct pending_list unused;    /* kept, so that a question costs no allocation */
    struct pending_list concluded; /* in this turn: how long they took is counted at its end */
    struct tally tally;
    struct calendar_pool calendars; /* of all keys */
    struct verdict_book book;
};

/* What authority_ask() says beyond the wire's answers. */
enum { ANSWER_PENDING = -1 };

/*
 * An authority that remembers in store, which it owns from here on, and in accounts. Borrows both
 * others. Returns 0, or -1 where memory is short; released with authority_deinit() in both cases.
 */
__attribute__((warn_unused_result)) int authority_init(struct authority *authority,
                                                       const struct config *config,
                                                       struct spent_store *store,
                                                       struct accounts *accounts);

/*
 * What it takes to judge by next, made ahead in any thread while the authority goes on as before.
 * NULL where memory is short. It is handed to authority_reconfigure() or just destroyed; only one at
 * a time.
 */
struct tally_plan *authority_prepare(struct authority *authority, const struct config *next);

/* Judges by the configuration of a plan from here on; call before the old one is destroyed. What is
 * used up is left in the plan. */
void authority_reconfigure(struct authority *authority, const struct config *next,
                           struct tally_plan *plan);

/* Answers all that is pending with could-not-decide, and frees. */
void authority_deinit(struct authority *authority);

/*
 * Judges one question at a moment; it is probably about the host that is expected (NULL: none is
 * known), which the domain in it decides. Returns its answer (an enum answer; ANSWER_TRY_AGAIN where it
 * could not decide), the verdict counted and logged; or ANSWER_PENDING: asker->answer() is called
 * once, at authority_commit() or later, with asker->pending set until then.
 */
int authority_ask(struct authority *authority, const struct question *question,
                  const struct host *expected, struct moment now, struct asker *asker);

/* Counts and logs a question that could not be framed: malformed, and denied by the caller. */
void authority_refuse_unframed(struct authority *authority, struct moment now, uint64_t connection);

/* An asker that is gone before its answer: the verdict is still counted and logged. */
void asker_withdraw(struct asker *asker);

/* Ends the turn: what was spent in it is made to last; then come the answers that waited for that.
 */
void authority_commit(struct authority *authority, struct moment now);

/* What is due about once a second: old records dropped, sums logged, the clock watched. */
void authority_tick(struct authority *authority, struct moment now);

/* The time, in seconds since the epoch, from which no host refuses fresh tokens as `starting`; 0:
 * it is past. */
int64_t authority_opens(const struct authority *authority, struct moment now);

#endif
