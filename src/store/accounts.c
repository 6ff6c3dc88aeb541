#include "store/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "store/account_database.h"
#include "store/account_set.h"

/* Rows written in one tick: a few milliseconds at the most. */
enum { ROWS_A_TICK = 500 };

/* A user who comes back within this time is not written again. */
enum { SEEN_PRECISION_S = 3600 };

struct accounts {
    struct account_database database;
    struct accounts_limits limits;
    struct account_set seen;
    struct account_set denied;
    struct account_list unwritten;        /* the seen that the database does not know as such yet */
    struct account_list unwritten_denied; /* the same for what was merged */
    bool shares;
    size_t unshared;
};

static struct account_row row_of(const struct account *account)
{
    return (struct account_row){account->jid, account->length, account->time, account->changed_ms};
}

static bool take_row(struct account_set *set, const struct account_row *row)
{
    struct account *account;

    if (row->jid == NULL || row->length > ACCOUNT_NAME_MAX ||
        account_set_find(set, row->jid, row->length) != NULL)
        return false;
    account = account_set_add(set, row->jid, row->length, row->time);
    if (account == NULL)
        return false;
    account->changed_ms = row->changed;
    return true;
}

static bool take_seen(void *context, const struct account_row *row)
{
    struct accounts *accounts = context;

    return take_row(&accounts->seen, row);
}

static bool take_denied(void *context, const struct account_row *row)
{
    struct accounts *accounts = context;

    accounts->unshared++;
    return take_row(&accounts->denied, row);
}

static const char *open_database(struct accounts *accounts, const char *path)
{
    const char *error = account_database_open(&accounts->database, path);

    if (error != NULL)
        return error;
    if (account_database_read_denied(&accounts->database, take_denied, accounts) != 0)
        return "the denied users can't be read from the database";
    if (account_database_read_seen(&accounts->database, take_seen, accounts) != 0)
        return "the users seen can't be read from the database";
    return NULL;
}

static void destroy(struct accounts **accounts)
{
    account_database_close(&(*accounts)->database);
    account_set_clear(&(*accounts)->seen);
    account_set_clear(&(*accounts)->denied);
    free(*accounts);
    *accounts = NULL;
}

struct accounts *accounts_open(const char *path, struct accounts_limits limits, int64_t now,
                               const char **error_r)
{
    struct accounts *accounts = calloc(1, sizeof(*accounts));
    const char *error = "memory is short";

    if (accounts != NULL) {
        accounts->limits = limits;
        TAILQ_INIT(&accounts->seen.list);
        TAILQ_INIT(&accounts->denied.list);
        TAILQ_INIT(&accounts->unwritten);
        TAILQ_INIT(&accounts->unwritten_denied);
        error = open_database(accounts, path);
    }
    if (error == NULL && accounts_tick(accounts, now) != 0)
        error = "the database of users can't be written";
    if (error == NULL)
        return accounts;
    if (accounts != NULL)
        destroy(&accounts);
    *error_r = error;
    return NULL;
}

/* --- denied */

bool accounts_is_denied(const struct accounts *accounts, const char *jid, size_t length,
                        int64_t now)
{
    const struct account *account;

    if (accounts->denied.names.count == 0)
        return false;
    account = account_set_find(&accounts->denied, jid, length);
    return account != NULL && now < account->time;
}

/* The operator's word is on the disk before it is confirmed, unlike what is only noted. */
static int run_synced(struct accounts *accounts, enum account_statement which,
                      const struct account_row *row)
{
    int result = account_database_begin(&accounts->database, true);

    if (result == 0)
        result = account_database_run(&accounts->database, which, row);
    return account_database_end(&accounts->database, result);
}

static void set_shared(struct accounts *accounts, struct account *account, bool shared)
{
    if (account->is_shared && !shared)
        accounts->unshared++;
    if (!account->is_shared && shared)
        accounts->unshared--;
    account->is_shared = shared;
}

static void mark_denied_written(struct accounts *accounts, struct account *account)
{
    if (account->is_unwritten)
        TAILQ_REMOVE(&accounts->unwritten_denied, account, unwritten);
    account->is_unwritten = false;
}

static void drop_denied(struct accounts *accounts, struct account *account)
{
    mark_denied_written(accounts, account);
    set_shared(accounts, account, true);
    account_set_drop(&accounts->denied, account);
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
    if (run_synced(accounts, INSERT_DENIED, &row) != 0) {
        if (is_new)
            drop_denied(accounts, account);
        return -1;
    }
    mark_denied_written(accounts, account);
    set_shared(accounts, account, false);
    account->time = until;
    account->changed_ms = row.changed;
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
    if (run_synced(accounts, DELETE_DENIED, &row) != 0)
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
    return accounts->denied.names.count;
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
    set_shared(accounts, account, true);
    if (!account->is_unwritten)
        TAILQ_INSERT_TAIL(&accounts->unwritten_denied, account, unwritten);
    account->is_unwritten = true;
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

/* --- seen */

bool accounts_has_seen(const struct accounts *accounts, const char *jid, size_t length)
{
    return account_set_find(&accounts->seen, jid, length) != NULL;
}

static void mark_unwritten(struct accounts *accounts, struct account *account)
{
    if (account->is_unwritten)
        return;
    account->is_unwritten = true;
    TAILQ_INSERT_TAIL(&accounts->unwritten, account, unwritten);
}

static void mark_written(struct accounts *accounts, struct account *account)
{
    if (account->is_unwritten)
        TAILQ_REMOVE(&accounts->unwritten, account, unwritten);
    account->is_unwritten = false;
}

static int forget(struct accounts *accounts, struct account *account)
{
    const struct account_row row = row_of(account);

    if (account_database_run(&accounts->database, DELETE_SEEN, &row) != 0)
        return -1;
    mark_written(accounts, account);
    account_set_drop(&accounts->seen, account);
    return 0;
}

static bool has_room(const struct accounts *accounts)
{
    return accounts->seen.names.count < accounts->limits.seen_max;
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
            mark_unwritten(accounts, account);
        return;
    }
    TAILQ_REMOVE(&accounts->seen.list, account, order);
    TAILQ_INSERT_TAIL(&accounts->seen.list, account, order);
    if (now - account->time < SEEN_PRECISION_S)
        return;
    account->time = now;
    mark_unwritten(accounts, account);
}

int accounts_forget(struct accounts *accounts, const char *jid, size_t length)
{
    struct account *account = account_set_find(&accounts->seen, jid, length);
    const struct account_row row = {.jid = jid, .length = length};

    if (account == NULL)
        return 0;
    if (run_synced(accounts, DELETE_SEEN, &row) != 0)
        return -1;
    mark_written(accounts, account);
    account_set_drop(&accounts->seen, account);
    return 0;
}

/* --- writing */

/* Writes the first of a list. */
static int write_rows(struct accounts *accounts, const struct account_list *list,
                      enum account_statement which, size_t limit)
{
    const struct account *account = TAILQ_FIRST(list);

    for (size_t rows = 0; rows < limit && account != NULL;
         rows++, account = TAILQ_NEXT(account, unwritten)) {
        const struct account_row row = row_of(account);

        if (account_database_run(&accounts->database, which, &row) != 0)
            return -1;
    }
    return 0;
}

/* They count as written once the transaction is through. */
static int write_share(struct accounts *accounts, size_t limit, bool synced)
{
    int result = account_database_begin(&accounts->database, synced);

    if (result == 0)
        result = write_rows(accounts, &accounts->unwritten, INSERT_SEEN, limit);
    if (result == 0)
        result = write_rows(accounts, &accounts->unwritten_denied, INSERT_DENIED, limit);
    if (account_database_end(&accounts->database, result) != 0)
        return -1;
    for (size_t rows = 0; rows < limit && !TAILQ_EMPTY(&accounts->unwritten); rows++)
        mark_written(accounts, TAILQ_FIRST(&accounts->unwritten));
    for (size_t rows = 0; rows < limit && !TAILQ_EMPTY(&accounts->unwritten_denied); rows++)
        mark_denied_written(accounts, TAILQ_FIRST(&accounts->unwritten_denied));
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
    if (added > 0 && write_share(accounts, added, true) != 0)
        error = "the database of users can't be written";
    if (error != NULL)
        *error_r = error;
    return error == NULL ? 0 : -1;
}

static bool must_go(const struct accounts *accounts, int64_t now)
{
    const struct account *longest_absent = TAILQ_FIRST(&accounts->seen.list);

    return longest_absent != NULL && (accounts->seen.names.count > accounts->limits.seen_max ||
                                      now - longest_absent->time >= accounts->limits.seen_age_s);
}

static int forget_absent(struct accounts *accounts, int64_t now)
{
    int result = account_database_begin(&accounts->database, false);

    for (int rows = 0; rows < ROWS_A_TICK && result == 0 && must_go(accounts, now); rows++)
        result = forget(accounts, TAILQ_FIRST(&accounts->seen.list));
    return account_database_end(&accounts->database, result);
}

/* The seen are written without waiting for the disk: what a power cut takes of them comes back with
 * the next login. So are merged denials: they come back with the next connection to what is shared,
 * before anybody can log in. */
int accounts_tick(struct accounts *accounts, int64_t now)
{
    if ((!TAILQ_EMPTY(&accounts->unwritten) || !TAILQ_EMPTY(&accounts->unwritten_denied)) &&
        write_share(accounts, ROWS_A_TICK, false) != 0)
        return -1;
    return must_go(accounts, now) ? forget_absent(accounts, now) : 0;
}

void accounts_set_limits(struct accounts *accounts, struct accounts_limits limits)
{
    accounts->limits = limits;
}

void accounts_close(struct accounts **accounts)
{
    struct accounts *closing = *accounts;

    if (closing == NULL)
        return;
    while ((!TAILQ_EMPTY(&closing->unwritten) || !TAILQ_EMPTY(&closing->unwritten_denied)) &&
           write_share(closing, ROWS_A_TICK, false) == 0)
        ;
    destroy(accounts);
}

/* --- lists */

struct page {
    accounts_visitor *visit;
    void *context;
};

static bool visit_row(void *context, const struct account_row *row)
{
    const struct page *page = context;

    page->visit(page->context, row->jid, row->length, row->time);
    return true;
}

int accounts_page(struct accounts *accounts, enum accounts_kind kind, const char *after,
                  size_t after_length, int limit, accounts_visitor *visit, void *context)
{
    struct page page = {visit, context};

    return account_database_read_page(&accounts->database,
                                      kind == ACCOUNTS_SEEN ? PAGE_OF_SEEN : PAGE_OF_DENIED, after,
                                      after_length, limit, visit_row, &page);
}

size_t accounts_seen_count(const struct accounts *accounts)
{
    return accounts->seen.names.count;
}
