/*
 * Whether a host's minters have a wrong clock. One genuine stale token proves nothing: a client that
 * sends a dead token again and again passes every offset. So it takes the same offset, within a
 * quarter of an hour, from two tokens of each of two users, or one of each of three: whatever a
 * single user may do, two tokens are left that are not his. Each good login stands against one
 * stale token; and good logins end it.
 *
 * What still passes for it is several people with accounts who hold tokens back for the same time,
 * while nobody else logs in. They gain a line in the log.
 */
#ifndef DAEMON_CLOCK_WATCH_H
#define DAEMON_CLOCK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CLOCK_EVIDENCE_MAX = 8,
    CLOCK_EVIDENCE_OF_A_USER = 2, /* so that nobody's flood drives out what others have shown */
    CLOCK_EVIDENCE_SECONDS = 900,
    CLOCK_TOKENS_TO_CONFIRM = 4,  /* of two users then, at the least */
    CLOCK_USERS_TO_CONFIRM = 3,   /* who need a token each */
    CLOCK_LOGINS_TO_CLEAR = 3,    /* good ones, no stale one of that offset between them */
    CLOCK_WARNING_SECONDS = 3600, /* from one warning to the next, while it goes on */
    CLOCK_NEWS_SECONDS = 600 /* to the next, whatever happens: it is for two users to cause it */
};

/* A genuine token that missed its window. */
struct clock_evidence {
    uint64_t user;  /* names whose it is */
    uint64_t token; /* names the token */
    int64_t offset; /* seconds; its own age included */
    int64_t at;     /* seconds of the boot clock */
};

/* All zero: nothing is known. */
struct clock_watch {
    struct clock_evidence evidence[CLOCK_EVIDENCE_MAX]; /* the oldest first */
    unsigned count;
    bool is_confirmed;
    int64_t offset;         /* what is confirmed */
    unsigned tokens, users; /* that confirmed it last */
    bool has_warned;
    bool is_announced;    /* what is confirmed has had its warning */
    int64_t warned_at;    /* also of what is over */
    unsigned good_logins; /* in a row, since it was confirmed */
};

enum clock_news {
    CLOCK_NO_NEWS,
    CLOCK_CONFIRMED,   /* once more; nothing to be said */
    CLOCK_WARN,        /* for the first time, with another offset, or after a long time again */
    CLOCK_CLEAR,       /* it is over */
    CLOCK_CLEAR_UNSAID /* it is over, and had no warning, for another was not long ago */
};

/* Takes a stale token down. Offsets no further apart than tolerance, in seconds, are the same. */
enum clock_news clock_watch_stale(struct clock_watch *watch, const struct clock_evidence *evidence,
                                  int64_t tolerance);

/* Takes a good login down: CLOCK_NO_NEWS, or that it is over. */
enum clock_news clock_watch_good(struct clock_watch *watch);

/* Whether a good login would change nothing: no stale token stands against it, and nothing is confirmed. */
bool clock_watch_is_idle(const struct clock_watch *watch);

#endif
