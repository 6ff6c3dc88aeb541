#include "store/account_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/fingerprint.h"

/* Another part of the fingerprint than a name's place in its table depends on. */
static size_t part_of(const char *jid, size_t length)
{
    return (fingerprint(FINGERPRINT_SEED, jid, length) >> 56) % ACCOUNT_SET_PARTS;
}

struct account *account_set_find(const struct account_set *set, const char *jid, size_t length)
{
    return name_table_find(&set->parts[part_of(jid, length)], jid, length);
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
    if (name_table_add(&set->parts[part_of(jid, length)], account->jid, length, account) != 0) {
        free(account);
        return NULL;
    }
    set->count++;
    TAILQ_INSERT_TAIL(&set->list, account, order);
    return account;
}

void account_set_drop(struct account_set *set, struct account *account)
{
    name_table_remove(&set->parts[part_of(account->jid, account->length)], account->jid,
                      account->length);
    set->count--;
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
    for (size_t i = 0; i < ACCOUNT_SET_PARTS; i++)
        name_table_clear(&set->parts[i]);
    set->count = 0;
}
