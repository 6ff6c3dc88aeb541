#include "store/account_set.h"

#include <stdlib.h>
#include <string.h>

struct account *account_set_find(const struct account_set *set, const char *jid, size_t length)
{
    return name_table_find(&set->names, jid, length);
}

struct account *account_set_add(struct account_set *set, const char *jid, size_t length,
                                int64_t time)
{
    struct account *account = calloc(1, sizeof(*account) + length + 1);

    if (account == NULL)
        return NULL;
    account->time = time;
    account->length = length;
    memcpy(account->jid, jid, length);
    if (name_table_add(&set->names, account->jid, length, account) != 0) {
        free(account);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&set->list, account, order);
    return account;
}

void account_set_drop(struct account_set *set, struct account *account)
{
    name_table_remove(&set->names, account->jid, account->length);
    TAILQ_REMOVE(&set->list, account, order);
    free(account);
}

void account_set_clear(struct account_set *set)
{
    while (!TAILQ_EMPTY(&set->list)) {
        struct account *account = TAILQ_FIRST(&set->list);

        TAILQ_REMOVE(&set->list, account, order);
        free(account);
    }
    name_table_clear(&set->names);
}
