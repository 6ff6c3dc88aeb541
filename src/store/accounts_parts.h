/*
 * What the parts of accounts share; nobody else includes it: life, writing and lists (accounts.c),
 * the denied (accounts_denied.c), the seen (accounts_seen.c).
 */
#ifndef STORE_ACCOUNTS_PARTS_H
#define STORE_ACCOUNTS_PARTS_H

#include "store/account_database.h"
#include "store/account_set.h"
#include "store/accounts.h"

struct accounts {
    struct account_database database;
    struct accounts_limits limits;
    struct account_set seen;
    struct account_set denied;
    struct account_list unwritten;        /* the seen that the database does not know as such yet */
    struct account_list unwritten_denied; /* the same for what was merged */
    accounts_denied_listener *on_denied;  /* NULL: nobody listens */
    void *listener;
    bool shares;
    size_t unshared;
};

/* The account as a row of the database; borrowed from it. */
static inline struct account_row account_row_of(const struct account *account)
{
    return (struct account_row){account->jid, account->length, account->time, account->changed_ms};
}

/* The operator's word is on the disk before it is confirmed, unlike what is only noted. 0, or -1. */
__attribute__((warn_unused_result)) int accounts_run_synced(struct accounts *accounts,
                                                            enum account_statement which,
                                                            const struct account_row *row);

/* Writes so many of what waits to be written, the seen and the denied each. 0, or -1. */
__attribute__((warn_unused_result)) int accounts_write_share(struct accounts *accounts,
                                                             size_t limit, bool synced);

/* That an account of one of the lists is not in the database as it is now; and that it is. */
static inline void account_mark_unwritten(struct account_list *unwritten, struct account *account)
{
    if (!account->is_unwritten)
        TAILQ_INSERT_TAIL(unwritten, account, unwritten);
    account->is_unwritten = true;
}

static inline void account_mark_written(struct account_list *unwritten, struct account *account)
{
    if (account->is_unwritten)
        TAILQ_REMOVE(unwritten, account, unwritten);
    account->is_unwritten = false;
}

/* Whether seen users are remembered that are too many, or too long absent; and forgets so many of
 * them. 0, or -1 where the database fails. */
bool accounts_seen_must_go(const struct accounts *accounts, int64_t now);
__attribute__((warn_unused_result)) int accounts_seen_forget_absent(struct accounts *accounts,
                                                                    int64_t now, int rows);

#endif
