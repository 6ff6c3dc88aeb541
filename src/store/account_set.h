/* Users by name and in an order: the seen, or the denied. */
#ifndef STORE_ACCOUNT_SET_H
#define STORE_ACCOUNT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/name_table.h"

struct account {
    TAILQ_ENTRY(account) order; /* of the seen: the longest absent first; of the denied: any */
    TAILQ_ENTRY(account) unwritten;
    bool is_unwritten;
    bool is_shared;     /* denied: the store that is shared is known to have it so */
    int64_t time;       /* seen: when last; denied: until when, or NOT_DENIED */
    int64_t changed_ms; /* denied: when the operator said so */
    size_t length;
    char jid[]; /* terminated */
};

TAILQ_HEAD(account_list, account);

/* The table is split: a part that grows moves so few names that nobody waits for it. */
enum { ACCOUNT_SET_PARTS = 256 };

struct account_set {
    size_t count;
    struct name_table parts[ACCOUNT_SET_PARTS];
    struct account_list list; /* to be initialised */
};

/* The account of a name, or NULL. */
struct account *account_set_find(const struct account_set *set, const char *jid, size_t length);

/* Adds one that is not there yet, at the end. NULL where memory is short. */
struct account *account_set_add(struct account_set *set, const char *jid, size_t length,
                                int64_t time);

/* Takes one out and frees it. */
void account_set_drop(struct account_set *set, struct account *account);

/* Frees all of them. */
void account_set_clear(struct account_set *set);

#endif
