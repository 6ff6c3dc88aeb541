#include "store/accounts_parts.h"

/* A user who comes back within this time is not written again. */
enum { SEEN_PRECISION_S = 3600 };

bool accounts_has_seen(const struct accounts *accounts, const char *jid, size_t length)
{
    return account_set_find(&accounts->seen, jid, length) != NULL;
}

static int forget(struct accounts *accounts, struct account *account)
{
    const struct account_row row = account_row_of(account);

    if (account_database_run(&accounts->database, DELETE_SEEN, &row) != 0)
        return -1;
    account_mark_written(&accounts->unwritten, account);
    account_set_drop(&accounts->seen, account);
    return 0;
}

static bool has_room(const struct accounts *accounts)
{
    return accounts->seen.count < accounts->limits.seen_max;
}

void accounts_note_seen(struct accounts *accounts, const char *jid, size_t length, int64_t now)
{
    struct account *account = account_set_find(&accounts->seen, jid, length);

    if (account == NULL) {
        if (!has_room(accounts) && (TAILQ_EMPTY(&accounts->seen.list) ||
                                    forget(accounts, TAILQ_FIRST(&accounts->seen.list)) != 0))
            return;
        account = account_set_add(&accounts->seen, jid, length, now);
        if (account != NULL)
            account_mark_unwritten(&accounts->unwritten, account);
        return;
    }
    TAILQ_REMOVE(&accounts->seen.list, account, order);
    TAILQ_INSERT_TAIL(&accounts->seen.list, account, order);
    if (now - account->time < SEEN_PRECISION_S)
        return;
    account->time = now;
    account_mark_unwritten(&accounts->unwritten, account);
}

int accounts_forget(struct accounts *accounts, const char *jid, size_t length)
{
    struct account *account = account_set_find(&accounts->seen, jid, length);
    const struct account_row row = {.jid = jid, .length = length};

    if (account == NULL)
        return 0;
    if (accounts_run_synced(accounts, DELETE_SEEN, &row) != 0)
        return -1;
    account_mark_written(&accounts->unwritten, account);
    account_set_drop(&accounts->seen, account);
    return 0;
}

/* In front of those that wait for accounts_tick(). */
static const char *import_one(struct accounts *accounts, const struct accounts_name *name,
                              int64_t now)
{
    struct account *account;

    if (!has_room(accounts))
        return "seen_max users are remembered already";
    account = account_set_add(&accounts->seen, name->jid, name->length, now);
    if (account == NULL)
        return "memory is short";
    account->is_unwritten = true;
    TAILQ_INSERT_HEAD(&accounts->unwritten, account, unwritten);
    return NULL;
}

int accounts_import(struct accounts *accounts, const struct accounts_name *names, size_t count,
                    int64_t now, size_t *added_r, const char **error_r)
{
    const char *error = NULL;
    size_t added = 0;

    for (size_t i = 0; i < count && error == NULL; i++) {
        if (account_set_find(&accounts->seen, names[i].jid, names[i].length) != NULL)
            continue;
        error = import_one(accounts, &names[i], now);
        added += error == NULL;
    }
    *added_r = added;
    if (added > 0 && accounts_write_share(accounts, added, true) != 0)
        error = "the database of users can't be written";
    if (error != NULL)
        *error_r = error;
    return error == NULL ? 0 : -1;
}

bool accounts_seen_must_go(const struct accounts *accounts, int64_t now)
{
    const struct account *longest_absent = TAILQ_FIRST(&accounts->seen.list);

    return longest_absent != NULL && (accounts->seen.count > accounts->limits.seen_max ||
                                      now - longest_absent->time >= accounts->limits.seen_age_s);
}

int accounts_seen_forget_absent(struct accounts *accounts, int64_t now, int rows)
{
    int result = account_database_begin(&accounts->database, false);

    for (; rows > 0 && result == 0 && accounts_seen_must_go(accounts, now); rows--)
        result = forget(accounts, TAILQ_FIRST(&accounts->seen.list));
    return account_database_end(&accounts->database, result);
}

size_t accounts_seen_count(const struct accounts *accounts)
{
    return accounts->seen.count;
}
