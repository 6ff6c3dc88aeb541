/*
 * What is remembered of users, whatever the store of spent tokens: who ever logged in, and who is
 * denied. Answered from memory; kept in an SQLite database in the state directory.
 */
#ifndef STORE_ACCOUNTS_H
#define STORE_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct accounts;

struct accounts_limits {
    size_t seen_max;    /* users remembered as seen; beyond them the longest absent are forgotten */
    int64_t seen_age_s; /* seconds after which an absent user is forgotten */
};

/* Bytes of a name; the questions of chat servers are shorter. */
enum { ACCOUNT_NAME_MAX = 8192 };

/* For ever, as the end of a denial. */
#define DENIED_FOR_EVER INT64_MAX

/* No denial any more, in place of its end: what remains of one, so that those who share it learn of
 * its end. */
#define NOT_DENIED 0

/*
 * Opens or makes the database at a path and reads all of it. NULL where it can't be opened or read,
 * with static words in *error_r: whoever was denied must not get in because a file is damaged.
 * Times are in seconds since the epoch.
 */
struct accounts *accounts_open(const char *path, struct accounts_limits limits, int64_t now,
                               const char **error_r);

/* Writes what is still to be written, closes, frees, sets *accounts to NULL; NULL is allowed. */
void accounts_close(struct accounts **accounts);

/* Takes other limits on. */
void accounts_set_limits(struct accounts *accounts, struct accounts_limits limits);

/* --- the denied */

/* Whether a bare JID is denied at a time. */
bool accounts_is_denied(const struct accounts *accounts, const char *jid, size_t length,
                        int64_t now);

/* Denies a bare JID up to a time, or lets it in again; now_ms: milliseconds since the epoch. On the
 * disk when this returns 0; -1: nothing changed. */
__attribute__((warn_unused_result)) int accounts_deny(struct accounts *accounts, const char *jid,
                                                      size_t length, int64_t until, int64_t now_ms);
__attribute__((warn_unused_result)) int accounts_allow(struct accounts *accounts, const char *jid,
                                                       size_t length, int64_t now_ms);

/* Has on_denied called for each name that is denied from here on, here or by what is merged; it must
 * not call back. */
typedef void accounts_denied_listener(void *context, const char *jid, size_t length);
void accounts_tell_denied(struct accounts *accounts, accounts_denied_listener *on_denied,
                          void *context);

/* How many are denied at a time; and whether there is anything at all that accounts_is_denied()
 * would look at. */
size_t accounts_denied_at(const struct accounts *accounts, int64_t now);
size_t accounts_denied_count(const struct accounts *accounts);

/*
 * Denials shared with other daemons. Of two words on one user the later counts (changed_ms), and of
 * two at the same time the one that denies longer. What others don't know is never taken back for
 * that.
 */
struct accounts_denial {
    const char *jid;
    size_t length;
    int64_t until;      /* or NOT_DENIED */
    int64_t changed_ms; /* milliseconds since the epoch; later than that of what it replaced */
};

/* From here on accounts_allow() keeps what is to be told to others. */
void accounts_begin_sharing(struct accounts *accounts);

/* What the others are known to have: nothing; this, unless it has changed since. */
void accounts_unshare_all(struct accounts *accounts);
void accounts_mark_shared(struct accounts *accounts, const struct accounts_denial *denial);

/* Takes what others have: in force at once, in the database at a later accounts_tick(). Returns 1
 * where it changed something, 0 where it was known or is outdated, -1 where memory is short. */
__attribute__((warn_unused_result)) int accounts_merge(struct accounts *accounts,
                                                       const struct accounts_denial *denial);

/* Calls visit for what the others are not known to have, limit at the most. */
typedef void accounts_denial_visitor(void *context, const struct accounts_denial *denial);
void accounts_each_unshared(const struct accounts *accounts, size_t limit,
                            accounts_denial_visitor *visit, void *context);
/* How many those are; 0 where nothing is shared. */
size_t accounts_unshared_count(const struct accounts *accounts);

/* --- the seen */

/* Whether a bare JID ever logged in, as far as limits let it be remembered. */
bool accounts_has_seen(const struct accounts *accounts, const char *jid, size_t length);

/* Notes that it logged in at a time. In memory at once, in the database at a later accounts_tick();
 * where memory is short it is not remembered. */
void accounts_note_seen(struct accounts *accounts, const char *jid, size_t length, int64_t now);

struct accounts_name {
    const char *jid;
    size_t length;
};

/*
 * Takes names as seen at a time, but for those that are known already; never at the cost of others.
 * On the disk when this returns 0. -1 with static words in *error_r: the database fails, or
 * seen_max is reached; those before that are remembered. *added_r: how many were new, either way.
 */
__attribute__((warn_unused_result)) int accounts_import(struct accounts *accounts,
                                                        const struct accounts_name *names,
                                                        size_t count, int64_t now, size_t *added_r,
                                                        const char **error_r);

/* Forgets that it was seen; on the disk when this returns 0; -1: nothing changed. Forgetting the
 * unknown is no error. */
__attribute__((warn_unused_result)) int accounts_forget(struct accounts *accounts, const char *jid,
                                                        size_t length);

size_t accounts_seen_count(const struct accounts *accounts);

/* --- both */

/* What is due about once a second: writes a share of what was noted, forgets the long absent.
 * Returns 0, or -1 where the database fails; it is tried again. */
__attribute__((warn_unused_result)) int accounts_tick(struct accounts *accounts, int64_t now);

enum accounts_kind { ACCOUNTS_SEEN, ACCOUNTS_DENIED };

/* time: when last seen, within an hour; or the end of the denial, or NOT_DENIED. jid is borrowed
 * until the visitor returns. */
typedef void accounts_visitor(void *context, const char *jid, size_t length, int64_t time);

/*
 * Visits up to limit of one kind, in the order of names, beginning behind a name (of length 0: at
 * the first), so that a long list can be had in portions while users come and go. Returns how many
 * it looked at, fewer than limit at the end; or -1 where the database fails. A login is in the list
 * once accounts_tick() has written it.
 */
__attribute__((warn_unused_result)) int accounts_page(struct accounts *accounts,
                                                      enum accounts_kind kind, const char *after,
                                                      size_t after_length, int limit,
                                                      accounts_visitor *visit, void *context);

#endif
