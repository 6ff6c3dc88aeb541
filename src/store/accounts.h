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

/* For ever, as the end of a denial. */
#define DENIED_FOR_EVER INT64_MAX

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

/* Whether a bare JID is denied at a time. */
bool accounts_is_denied(const struct accounts *accounts, const char *jid, size_t length,
                        int64_t now);

/* Denies a bare JID up to a time, or lets it in again. On the disk when this returns 0; -1: nothing
 * changed. */
__attribute__((warn_unused_result)) int accounts_deny(struct accounts *accounts, const char *jid,
                                                      size_t length, int64_t until);
__attribute__((warn_unused_result)) int accounts_allow(struct accounts *accounts, const char *jid,
                                                       size_t length);

/* Whether a bare JID ever logged in, as far as limits let it be remembered. */
bool accounts_has_seen(const struct accounts *accounts, const char *jid, size_t length);

/* Notes that it logged in at a time. In memory at once, in the database at a later accounts_tick();
 * where memory is short it is not remembered. */
void accounts_note_seen(struct accounts *accounts, const char *jid, size_t length, int64_t now);

/* Forgets that it was seen; on the disk when this returns 0; -1: nothing changed. Forgetting the
 * unknown is no error. */
__attribute__((warn_unused_result)) int accounts_forget(struct accounts *accounts, const char *jid,
                                                        size_t length);

/* What is due about once a second: writes a share of what was noted, forgets the long absent.
 * Returns 0, or -1 where the database fails; it is tried again. */
__attribute__((warn_unused_result)) int accounts_tick(struct accounts *accounts, int64_t now);

/* Calls visit for every user seen, the longest absent first, or for every denial (time: its end),
 * in no order. */
typedef void accounts_visitor(void *context, const char *jid, size_t length, int64_t time);
void accounts_each_seen(const struct accounts *accounts, accounts_visitor *visit, void *context);
void accounts_each_denied(const struct accounts *accounts, accounts_visitor *visit, void *context);

/* How many there are. */
size_t accounts_seen_count(const struct accounts *accounts);
size_t accounts_denied_count(const struct accounts *accounts);

#endif
