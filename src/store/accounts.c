#include "store/accounts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <sqlite3.h>

#include "base/name_table.h"

/* Rows written in one tick: a few milliseconds at the most. */
enum { ROWS_A_TICK = 500 };

/* A user who comes back within this time is not written again. */
enum { SEEN_PRECISION_S = 3600 };

struct account {
    TAILQ_ENTRY(account) order; /* of the seen: the longest absent first; of the denied: any */
    TAILQ_ENTRY(account) unwritten;
    bool is_unwritten;
    int64_t time; /* seen: when last; denied: until when */
    size_t length;
    char jid[];
};

TAILQ_HEAD(account_list, account);

/* Accounts by name and in an order. */
struct account_set {
    struct name_table names;
    struct account_list list;
};

enum statement { INSERT_SEEN, DELETE_SEEN, INSERT_DENIED, DELETE_DENIED, STATEMENT_COUNT };

struct accounts {
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    struct accounts_limits limits;
    struct account_set seen;
    struct account_set denied;
    struct account_list unwritten; /* the seen that the database does not know as such yet */
};

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS seen (jid BLOB PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS denied (jid BLOB PRIMARY KEY, until INTEGER NOT NULL) WITHOUT "
    "ROWID;";

static const char *const statement_texts[STATEMENT_COUNT] = {
    [INSERT_SEEN] = "INSERT OR REPLACE INTO seen VALUES (?, ?)",
    [DELETE_SEEN] = "DELETE FROM seen WHERE jid = ?",
    [INSERT_DENIED] = "INSERT OR REPLACE INTO denied VALUES (?, ?)",
    [DELETE_DENIED] = "DELETE FROM denied WHERE jid = ?",
};

/* --- sets
 * ----------------------------------------------------------------------------------------------------------
 */

static struct account *find(const struct account_set *set, const char *jid, size_t length)
{
    return name_table_find(&set->names, jid, length);
}

/* Adds one that is not there yet, at the end. NULL where memory is short. */
static struct account *add(struct account_set *set, const char *jid, size_t length, int64_t time)
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

static void drop(struct account_set *set, struct account *account)
{
    name_table_remove(&set->names, account->jid, account->length);
    TAILQ_REMOVE(&set->list, account, order);
    free(account);
}

static void drop_all(struct account_set *set)
{
    while (!TAILQ_EMPTY(&set->list)) {
        struct account *account = TAILQ_FIRST(&set->list);

        TAILQ_REMOVE(&set->list, account, order);
        free(account);
    }
    name_table_clear(&set->names);
}

static void each(const struct account_set *set, accounts_visitor *visit, void *context)
{
    for (const struct account *account = TAILQ_FIRST(&set->list); account != NULL;
         account = TAILQ_NEXT(account, order))
        visit(context, account->jid, account->length, account->time);
}

/* --- the database
 * --------------------------------------------------------------------------------------------------
 */

static int run_text(struct accounts *accounts, const char *text)
{
    return sqlite3_exec(accounts->database, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* Runs one of the statements; time is left out where it has no place for it. */
static int run(struct accounts *accounts, enum statement which, const char *jid, size_t length,
               int64_t time)
{
    sqlite3_stmt *statement = accounts->statements[which];
    bool done = sqlite3_bind_blob(statement, 1, jid, (int)length, SQLITE_STATIC) == SQLITE_OK &&
                (sqlite3_bind_parameter_count(statement) < 2 ||
                 sqlite3_bind_int64(statement, 2, time) == SQLITE_OK) &&
                sqlite3_step(statement) == SQLITE_DONE;

    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return done ? 0 : -1;
}

static bool has_room(const struct accounts *accounts)
{
    return accounts->seen.names.count < accounts->limits.seen_max;
}

static int read_rows(struct accounts *accounts, const char *query, struct account_set *set,
                     bool bounded)
{
    sqlite3_stmt *statement;
    int step = SQLITE_NOMEM;

    if (sqlite3_prepare_v2(accounts->database, query, -1, &statement, NULL) != SQLITE_OK)
        return -1;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *jid = sqlite3_column_blob(statement, 0);
        size_t length = (size_t)sqlite3_column_bytes(statement, 0);

        if (bounded && !has_room(accounts))
            drop(set, TAILQ_FIRST(&set->list));
        if (jid == NULL || find(set, jid, length) != NULL ||
            add(set, jid, length, sqlite3_column_int64(statement, 1)) == NULL)
            break;
    }
    sqlite3_finalize(statement);
    return step == SQLITE_DONE ? 0 : -1;
}

static const char *open_database(struct accounts *accounts, const char *path)
{
    if (sqlite3_open_v2(path, &accounts->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                            SQLITE_OPEN_NOFOLLOW,
                        NULL) != SQLITE_OK ||
        run_text(accounts, schema) != 0)
        return "the database of users can't be opened or is damaged";
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(accounts->database, statement_texts[i], -1,
                               SQLITE_PREPARE_PERSISTENT, &accounts->statements[i],
                               NULL) != SQLITE_OK)
            return "the database of users is of another shape";
    }
    if (read_rows(accounts, "SELECT jid, until FROM denied", &accounts->denied, false) != 0)
        return "the denied users can't be read from the database";
    if (read_rows(accounts, "SELECT jid, last FROM seen ORDER BY last", &accounts->seen, true) != 0)
        return "the users seen can't be read from the database";
    return NULL;
}

static void destroy(struct accounts **accounts)
{
    struct accounts *gone = *accounts;

    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(gone->statements[i]);
    sqlite3_close(gone->database);
    drop_all(&gone->seen);
    drop_all(&gone->denied);
    free(gone);
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

/* --- denied
 * --------------------------------------------------------------------------------------------------------
 */

bool accounts_is_denied(const struct accounts *accounts, const char *jid, size_t length,
                        int64_t now)
{
    const struct account *account;

    if (accounts->denied.names.count == 0)
        return false;
    account = find(&accounts->denied, jid, length);
    return account != NULL && now < account->time;
}

/* The operator's word is on the disk before it is confirmed, unlike what is only noted. */
static int run_synced(struct accounts *accounts, enum statement which, const char *jid,
                      size_t length, int64_t time)
{
    int result = run_text(accounts, "PRAGMA synchronous = FULL") == 0
                     ? run(accounts, which, jid, length, time)
                     : -1;

    return run_text(accounts, "PRAGMA synchronous = NORMAL") == 0 ? result : -1;
}

int accounts_deny(struct accounts *accounts, const char *jid, size_t length, int64_t until)
{
    struct account *account = find(&accounts->denied, jid, length);
    bool is_new = account == NULL;

    if (is_new)
        account = add(&accounts->denied, jid, length, until);
    if (account == NULL)
        return -1;
    if (run_synced(accounts, INSERT_DENIED, jid, length, until) != 0) {
        if (is_new)
            drop(&accounts->denied, account);
        return -1;
    }
    account->time = until;
    return 0;
}

int accounts_allow(struct accounts *accounts, const char *jid, size_t length)
{
    struct account *account = find(&accounts->denied, jid, length);

    if (account == NULL)
        return 0;
    if (run_synced(accounts, DELETE_DENIED, jid, length, 0) != 0)
        return -1;
    drop(&accounts->denied, account);
    return 0;
}

/* --- seen
 * ----------------------------------------------------------------------------------------------------------
 */

bool accounts_has_seen(const struct accounts *accounts, const char *jid, size_t length)
{
    return find(&accounts->seen, jid, length) != NULL;
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
    if (run(accounts, DELETE_SEEN, account->jid, account->length, 0) != 0)
        return -1;
    mark_written(accounts, account);
    drop(&accounts->seen, account);
    return 0;
}

void accounts_note_seen(struct accounts *accounts, const char *jid, size_t length, int64_t now)
{
    struct account *account = find(&accounts->seen, jid, length);

    if (account == NULL) {
        if (!has_room(accounts) && (TAILQ_EMPTY(&accounts->seen.list) ||
                                    forget(accounts, TAILQ_FIRST(&accounts->seen.list)) != 0))
            return;
        account = add(&accounts->seen, jid, length, now);
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
    struct account *account = find(&accounts->seen, jid, length);

    if (account == NULL)
        return 0;
    if (run_synced(accounts, DELETE_SEEN, jid, length, 0) != 0)
        return -1;
    mark_written(accounts, account);
    drop(&accounts->seen, account);
    return 0;
}

/* Writes a share of them; they count as written once the transaction is through. */
static int write_share(struct accounts *accounts)
{
    const struct account *account = TAILQ_FIRST(&accounts->unwritten);

    for (int rows = 0; rows < ROWS_A_TICK && account != NULL;
         rows++, account = TAILQ_NEXT(account, unwritten)) {
        if (run(accounts, INSERT_SEEN, account->jid, account->length, account->time) != 0)
            return -1;
    }
    return 0;
}

static void forget_share(struct accounts *accounts)
{
    for (int rows = 0; rows < ROWS_A_TICK && !TAILQ_EMPTY(&accounts->unwritten); rows++)
        mark_written(accounts, TAILQ_FIRST(&accounts->unwritten));
}

static int forget_absent(struct accounts *accounts, int64_t now)
{
    struct account *account;

    for (int rows = 0; rows < ROWS_A_TICK; rows++) {
        account = TAILQ_FIRST(&accounts->seen.list);
        if (account == NULL || (accounts->seen.names.count <= accounts->limits.seen_max &&
                                now - account->time < accounts->limits.seen_age_s))
            break;
        if (forget(accounts, account) != 0)
            return -1;
    }
    return 0;
}

static bool has_work(const struct accounts *accounts, int64_t now)
{
    const struct account *first = TAILQ_FIRST(&accounts->seen.list);

    return !TAILQ_EMPTY(&accounts->unwritten) ||
           (first != NULL && (now - first->time >= accounts->limits.seen_age_s ||
                              accounts->seen.names.count > accounts->limits.seen_max));
}

/* The seen are written without waiting for the disk: what a power cut takes of them comes back with
 * the next login. */
int accounts_tick(struct accounts *accounts, int64_t now)
{
    if (!has_work(accounts, now))
        return 0;
    if (run_text(accounts, "BEGIN") != 0)
        return -1;
    if (write_share(accounts) == 0 && run_text(accounts, "COMMIT") == 0) {
        forget_share(accounts);
        return forget_absent(accounts, now);
    }
    (void)run_text(accounts, "ROLLBACK");
    return -1;
}

void accounts_set_limits(struct accounts *accounts, struct accounts_limits limits)
{
    accounts->limits = limits;
}

void accounts_close(struct accounts **accounts)
{
    if (*accounts == NULL)
        return;
    while (!TAILQ_EMPTY(&(*accounts)->unwritten) && accounts_tick(*accounts, INT64_MIN / 2) == 0)
        ;
    destroy(accounts);
}

void accounts_each_seen(const struct accounts *accounts, accounts_visitor *visit, void *context)
{
    each(&accounts->seen, visit, context);
}

void accounts_each_denied(const struct accounts *accounts, accounts_visitor *visit, void *context)
{
    each(&accounts->denied, visit, context);
}

size_t accounts_seen_count(const struct accounts *accounts)
{
    return accounts->seen.names.count;
}

size_t accounts_denied_count(const struct accounts *accounts)
{
    return accounts->denied.names.count;
}
