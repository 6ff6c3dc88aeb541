#include "store/accounts.h"

#include <stdlib.h>

#include "store/accounts_parts.h"

/* Rows written in one tick: a few milliseconds at the most. */
enum { ROWS_A_TICK = 500 };

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

/* --- writing */

int accounts_run_synced(struct accounts *accounts, enum account_statement which,
                        const struct account_row *row)
{
    int result = account_database_begin(&accounts->database, true);

    if (result == 0)
        result = account_database_run(&accounts->database, which, row);
    return account_database_end(&accounts->database, result);
}

/* Writes the first of a list. */
static int write_rows(struct accounts *accounts, const struct account_list *list,
                      enum account_statement which, size_t limit)
{
    const struct account *account = TAILQ_FIRST(list);

    for (size_t rows = 0; rows < limit && account != NULL;
         rows++, account = TAILQ_NEXT(account, unwritten)) {
        const struct account_row row = account_row_of(account);

        if (account_database_run(&accounts->database, which, &row) != 0)
            return -1;
    }
    return 0;
}

/* They count as written once the transaction is through. */
int accounts_write_share(struct accounts *accounts, size_t limit, bool synced)
{
    int result = account_database_begin(&accounts->database, synced);

    if (result == 0)
        result = write_rows(accounts, &accounts->unwritten, INSERT_SEEN, limit);
    if (result == 0)
        result = write_rows(accounts, &accounts->unwritten_denied, INSERT_DENIED, limit);
    if (account_database_end(&accounts->database, result) != 0)
        return -1;
    for (size_t rows = 0; rows < limit && !TAILQ_EMPTY(&accounts->unwritten); rows++)
        account_mark_written(&accounts->unwritten, TAILQ_FIRST(&accounts->unwritten));
    for (size_t rows = 0; rows < limit && !TAILQ_EMPTY(&accounts->unwritten_denied); rows++)
        account_mark_written(&accounts->unwritten_denied, TAILQ_FIRST(&accounts->unwritten_denied));
    return 0;
}

/* The seen are written without waiting for the disk: what a power cut takes of them comes back with
 * the next login. So are merged denials: they come back with the next connection to what is shared,
 * before anybody can log in. */
int accounts_tick(struct accounts *accounts, int64_t now)
{
    if ((!TAILQ_EMPTY(&accounts->unwritten) || !TAILQ_EMPTY(&accounts->unwritten_denied)) &&
        accounts_write_share(accounts, ROWS_A_TICK, false) != 0)
        return -1;
    return accounts_seen_must_go(accounts, now)
               ? accounts_seen_forget_absent(accounts, now, ROWS_A_TICK)
               : 0;
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
           accounts_write_share(closing, ROWS_A_TICK, false) == 0)
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
