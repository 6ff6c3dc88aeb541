/*
 * From question to answer: the one place that says yes. It holds what is remembered between
 * questions and counts the verdicts; it knows nothing of sockets.
 */
#ifndef DAEMON_AUTHORITY_H
#define DAEMON_AUTHORITY_H

#include "config/config.h"
#include "daemon/verdict_log.h"
#include "store/replay_index.h"
#include "store/start_floor.h"
#include "wire/protocol.h"

struct authority {
    const struct config *config; /* borrowed; swapped by a reload */
    struct replay_index *index;
    struct start_floor floor;
    struct verdict_log log;
    uint64_t auth_counts[REASON_COUNT]; /* verdicts on auth, malformed and unsupported questions */
    uint64_t is_user_counts[REASON_COUNT]; /* verdicts on isuser questions */
};

/*
 * An authority whose record of spent tokens begins empty, so that it can't vouch for tokens minted
 * before start, unless the configuration accepts them. Borrows config. Returns 0, or -1 where
 * memory is short. Released with authority_deinit().
 */
__attribute__((warn_unused_result)) int
authority_init(struct authority *authority, const struct config *config, struct moment start);

void authority_deinit(struct authority *authority);

/*
 * Judges one question, spends the token that it is answered yes for, counts and logs the verdict.
 * connection names the asker in the log. ANSWER_TRY_AGAIN where it could not decide.
 */
enum answer authority_ask(struct authority *authority, const struct question *question,
                          struct moment now, uint64_t connection);

/* Counts and logs a question that could not be framed: malformed, and denied by the caller. */
void authority_refuse_unframed(struct authority *authority, struct moment now, uint64_t connection);

/* What is due about once a second: old records dropped, sums logged, the clock watched. */
void authority_tick(struct authority *authority, struct moment now);

/* The time, in seconds since the epoch, from which no host refuses fresh tokens as `starting`; 0:
 * it is past. */
int64_t authority_opens(const struct authority *authority, struct moment now);

#endif
