#include "store/account_database.h"

#include <stdlib.h>
#include <string.h>

/* Between synced transactions. */
static const char not_synced[] = "PRAGMA synchronous = NORMAL";

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
    "CREATE TABLE IF NOT EXISTS seen (jid BLOB PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS denied (jid BLOB PRIMARY KEY, until INTEGER NOT NULL,"
    " changed INTEGER NOT NULL) WITHOUT ROWID;";

static const char *const statement_texts[ACCOUNT_STATEMENT_COUNT] = {
    [INSERT_SEEN] = "INSERT OR REPLACE INTO seen VALUES (?, ?)",
    [DELETE_SEEN] = "DELETE FROM seen WHERE jid = ?",
    [INSERT_DENIED] = "INSERT OR REPLACE INTO denied VALUES (?, ?, ?)",
    [DELETE_DENIED] = "DELETE FROM denied WHERE jid = ?",
    [PAGE_OF_SEEN] = "SELECT jid, last FROM seen WHERE jid > ? ORDER BY jid LIMIT ?",
    [PAGE_OF_DENIED] = "SELECT jid, until, changed FROM denied WHERE jid > ? ORDER BY jid LIMIT ?",
};

static int run_text(struct account_database *database, const char *text)
{
    return sqlite3_exec(database->handle, text, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

static int no_sleep(sqlite3_vfs *files, int microseconds)
{
    (void)files;
    return microseconds;
}

/* SQLite's own access to files, but for its sleep: where a lock of its log is refused, it tries a
 * hundred times and sleeps ten seconds in between, and with it the event loop. NULL: no memory. */
static const char *sleepless_files(void)
{
    static sqlite3_vfs sleepless;
    const sqlite3_vfs *usual = sqlite3_vfs_find(NULL);

    if (usual == NULL)
        return NULL;
    if (sleepless.zName == NULL) {
        sleepless = *usual;
        sleepless.zName = "sleepless";
        sleepless.xSleep = no_sleep;
    }
    return sqlite3_vfs_register(&sleepless, 0) == SQLITE_OK ? sleepless.zName : NULL;
}

static const char *connect_to(struct account_database *database, int create)
{
    const char *files = sleepless_files();

    if (files == NULL || database->path == NULL)
        return "memory is short";
    if (sqlite3_open_v2(database->path, &database->handle,
                        SQLITE_OPEN_READWRITE | create | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
                        files) != SQLITE_OK ||
        run_text(database, create == 0 ? not_synced : schema) != 0)
        return "the database of users can't be opened or is damaged";
    for (size_t i = 0; i < ACCOUNT_STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(database->handle, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &database->statements[i], NULL) != SQLITE_OK)
            return "the database of users is of another shape";
    }
    return NULL;
}

static void disconnect(struct account_database *database)
{
    for (size_t i = 0; i < ACCOUNT_STATEMENT_COUNT; i++) {
        sqlite3_finalize(database->statements[i]);
        database->statements[i] = NULL;
    }
    sqlite3_close(database->handle);
    database->handle = NULL;
}

const char *account_database_open(struct account_database *database, const char *path)
{
    *database = (struct account_database){.path = strdup(path)};
    return connect_to(database, SQLITE_OPEN_CREATE);
}

void account_database_close(struct account_database *database)
{
    disconnect(database);
    free(database->path);
    *database = (struct account_database){0};
}

/* A lock that could not be given back is SQLite's own for as long as it has the file open: nothing
 * could be written any more. So after a failure the file is opened anew; if it is still there. */
static int ensure_sound(struct account_database *database)
{
    if (!database->is_doubtful)
        return 0;
    disconnect(database);
    if (connect_to(database, 0) != NULL) {
        disconnect(database);
        return -1;
    }
    database->is_doubtful = false;
    return 0;
}

/* Steps through all rows. Returns how many, or -1. */
static int take_rows(sqlite3_stmt *statement, account_row_taker *take, void *context)
{
    int count = 0;
    int step;

    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        struct account_row row = {.jid = sqlite3_column_blob(statement, 0),
                                  .length = (size_t)sqlite3_column_bytes(statement, 0),
                                  .time = sqlite3_column_int64(statement, 1)};

        if (sqlite3_column_count(statement) > 2)
            row.changed = sqlite3_column_int64(statement, 2);
        /* No memory for it. */
        if (row.jid == NULL && row.length > 0)
            return -1;
        if (!take(context, &row))
            return -1;
        count++;
    }
    return step == SQLITE_DONE ? count : -1;
}

static int read_all(struct account_database *database, const char *query, account_row_taker *take,
                    void *context)
{
    sqlite3_stmt *statement;
    int count;

    if (sqlite3_prepare_v2(database->handle, query, -1, &statement, NULL) != SQLITE_OK)
        return -1;
    count = take_rows(statement, take, context);
    sqlite3_finalize(statement);
    return count < 0 ? -1 : 0;
}

int account_database_read_denied(struct account_database *database, account_row_taker *take,
                                 void *context)
{
    return read_all(database, "SELECT jid, until, changed FROM denied", take, context);
}

int account_database_read_seen(struct account_database *database, account_row_taker *take,
                               void *context)
{
    return read_all(database, "SELECT jid, last FROM seen ORDER BY last", take, context);
}

int account_database_read_page(struct account_database *database, enum account_statement page,
                               const char *after, size_t after_length, int limit,
                               account_row_taker *take, void *context)
{
    sqlite3_stmt *statement;
    int count = -1;

    if (ensure_sound(database) != 0)
        return -1;
    statement = database->statements[page];
    if (sqlite3_bind_blob(statement, 1, after, (int)after_length, SQLITE_STATIC) == SQLITE_OK &&
        sqlite3_bind_int(statement, 2, limit) == SQLITE_OK)
        count = take_rows(statement, take, context);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    database->is_doubtful = count < 0;
    return count;
}

int account_database_run(struct account_database *database, enum account_statement which,
                         const struct account_row *row)
{
    sqlite3_stmt *statement = database->statements[which];
    int places = sqlite3_bind_parameter_count(statement);
    bool done =
        sqlite3_bind_blob(statement, 1, row->jid, (int)row->length, SQLITE_STATIC) == SQLITE_OK &&
        (places < 2 || sqlite3_bind_int64(statement, 2, row->time) == SQLITE_OK) &&
        (places < 3 || sqlite3_bind_int64(statement, 3, row->changed) == SQLITE_OK) &&
        sqlite3_step(statement) == SQLITE_DONE;

    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return done ? 0 : -1;
}

int account_database_begin(struct account_database *database, bool synced)
{
    if (ensure_sound(database) != 0)
        return -1;
    if (synced && run_text(database, "PRAGMA synchronous = FULL") != 0)
        return -1;
    return run_text(database, "BEGIN");
}

int account_database_end(struct account_database *database, int result)
{
    if (result == 0)
        result = run_text(database, "COMMIT");
    if (result != 0)
        database->is_doubtful = true;
    if (database->handle == NULL)
        return result;
    /* Also where there is nothing to roll back. */
    if (result != 0)
        (void)run_text(database, "ROLLBACK");
    (void)run_text(database, not_synced);
    return result;
}
