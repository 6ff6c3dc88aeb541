#include "store/accounts_parts.h"

bool accounts_is_denied(const struct accounts *accounts, const char *jid, size_t length,
                        int64_t now)
{
    const struct account *account;

    if (accounts->denied.count == 0)
        return false;
    account = account_set_find(&accounts->denied, jid, length);
    return account != NULL && now < account->time;
}

static void set_shared(struct accounts *accounts, struct account *account, bool shared)
{
    if (account->is_shared && !shared)
        accounts->unshared++;
    if (!account->is_shared && shared)
        accounts->unshared--;
    account->is_shared = shared;
}

static void drop_denied(struct accounts *accounts, struct account *account)
{
    account_mark_written(&accounts->unwritten_denied, account);
    set_shared(accounts, account, true);
    account_set_drop(&accounts->denied, account);
}

void accounts_tell_denied(struct accounts *accounts, accounts_denied_listener *on_denied,
                          void *context)
{
    accounts->on_denied = on_denied;
    accounts->listener = context;
}

static void tell_denied(const struct accounts *accounts, const struct account *account)
{
    if (accounts->on_denied != NULL && account->time != NOT_DENIED)
        accounts->on_denied(accounts->listener, account->jid, account->length);
}

static struct account *add_denied(struct accounts *accounts, const char *jid, size_t length)
{
    struct account *account = account_set_add(&accounts->denied, jid, length, NOT_DENIED);

    if (account != NULL)
        accounts->unshared++;
    return account;
}

int accounts_deny(struct accounts *accounts, const char *jid, size_t length, int64_t until,
                  int64_t now_ms)
{
    struct account *account = account_set_find(&accounts->denied, jid, length);
    bool is_new = account == NULL;
    struct account_row row = {jid, length, until, now_ms};

    if (is_new)
        account = add_denied(accounts, jid, length);
    if (account == NULL)
        return -1;
    /* The later word counts, also where another's clock is ahead of ours. */
    if (!is_new && row.changed <= account->changed_ms)
        row.changed = account->changed_ms + 1;
    if (accounts_run_synced(accounts, INSERT_DENIED, &row) != 0) {
        if (is_new)
            drop_denied(accounts, account);
        return -1;
    }
    account_mark_written(&accounts->unwritten_denied, account);
    set_shared(accounts, account, false);
    account->time = until;
    account->changed_ms = row.changed;
    tell_denied(accounts, account);
    return 0;
}

int accounts_allow(struct accounts *accounts, const char *jid, size_t length, int64_t now_ms)
{
    struct account *account = account_set_find(&accounts->denied, jid, length);
    const struct account_row row = {.jid = jid, .length = length};

    if (accounts->shares)
        return accounts_deny(accounts, jid, length, NOT_DENIED, now_ms);
    if (account == NULL)
        return 0;
    if (accounts_run_synced(accounts, DELETE_DENIED, &row) != 0)
        return -1;
    drop_denied(accounts, account);
    return 0;
}

size_t accounts_denied_at(const struct accounts *accounts, int64_t now)
{
    size_t count = 0;

    for (const struct account *account = TAILQ_FIRST(&accounts->denied.list); account != NULL;
         account = TAILQ_NEXT(account, order))
        count += now < account->time;
    return count;
}

size_t accounts_denied_count(const struct accounts *accounts)
{
    return accounts->denied.count;
}

/* --- denials shared */

void accounts_begin_sharing(struct accounts *accounts)
{
    accounts->shares = true;
}

void accounts_unshare_all(struct accounts *accounts)
{
    for (struct account *account = TAILQ_FIRST(&accounts->denied.list); account != NULL;
         account = TAILQ_NEXT(account, order))
        set_shared(accounts, account, false);
}

void accounts_mark_shared(struct accounts *accounts, const struct accounts_denial *denial)
{
    struct account *account = account_set_find(&accounts->denied, denial->jid, denial->length);

    if (account != NULL && account->changed_ms == denial->changed_ms &&
        account->time == denial->until)
        set_shared(accounts, account, true);
}

static bool is_later(const struct accounts_denial *denial, const struct account *account)
{
    return denial->changed_ms > account->changed_ms ||
           (denial->changed_ms == account->changed_ms && denial->until > account->time);
}

int accounts_merge(struct accounts *accounts, const struct accounts_denial *denial)
{
    struct account *account = account_set_find(&accounts->denied, denial->jid, denial->length);
    bool is_new = account == NULL;

    if (is_new)
        account = add_denied(accounts, denial->jid, denial->length);
    if (account == NULL)
        return -1;
    if (!is_new && !is_later(denial, account)) {
        accounts_mark_shared(accounts, denial);
        return 0;
    }
    account->time = denial->until;
    account->changed_ms = denial->changed_ms;
    tell_denied(accounts, account);
    set_shared(accounts, account, true);
    account_mark_unwritten(&accounts->unwritten_denied, account);
    return 1;
}

void accounts_each_unshared(const struct accounts *accounts, size_t limit,
                            accounts_denial_visitor *visit, void *context)
{
    for (const struct account *account = TAILQ_FIRST(&accounts->denied.list); account != NULL;
         account = TAILQ_NEXT(account, order)) {
        const struct accounts_denial denial = {account->jid, account->length, account->time,
                                               account->changed_ms};

        if (limit == 0)
            return;
        if (account->is_shared)
            continue;
        limit--;
        visit(context, &denial);
    }
}

size_t accounts_unshared_count(const struct accounts *accounts)
{
    return accounts->shares ? accounts->unshared : 0;
}
