/* The SQLite database behind accounts: its tables, and its statements in words. */
#ifndef STORE_ACCOUNT_DATABASE_H
#define STORE_ACCOUNT_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

enum account_statement {
    INSERT_SEEN,   /* a name; time: when last */
    DELETE_SEEN,   /* a name */
    INSERT_DENIED, /* a name; time: until when; changed: when that was said */
    DELETE_DENIED, /* a name */
    PAGE_OF_SEEN,
    PAGE_OF_DENIED,
    ACCOUNT_STATEMENT_COUNT
};

struct account_database {
    char *path;
    sqlite3 *handle; /* NULL: it could not be opened anew */
    sqlite3_stmt *statements[ACCOUNT_STATEMENT_COUNT];
    bool is_doubtful; /* something failed: it is opened anew before it is used again */
};

struct account_row {
    const char *jid; /* any bytes; NULL: none */
    size_t length;
    int64_t time;
    int64_t changed; /* 0 where the table has no such column */
};

/* Takes a row, borrowed until it returns; false: it can't, and the reading fails. */
typedef bool account_row_taker(void *context, const struct account_row *row);

/* Opens or makes the database at a path. NULL, or static words for what is wrong; to be closed
 * either way. */
const char *account_database_open(struct account_database *database, const char *path);
void account_database_close(struct account_database *database);

/* Calls take for all denied, then for all seen, the longest absent first. 0, or -1. */
__attribute__((warn_unused_result)) int
account_database_read_denied(struct account_database *database, account_row_taker *take,
                             void *context);
__attribute__((warn_unused_result)) int
account_database_read_seen(struct account_database *database, account_row_taker *take,
                           void *context);

/* Reads up to limit rows by PAGE_OF_..., in the order of names, beginning behind a name. Returns
 * how many, or -1. */
__attribute__((warn_unused_result)) int
account_database_read_page(struct account_database *database, enum account_statement page,
                           const char *after, size_t after_length, int limit,
                           account_row_taker *take, void *context);

/* Inserts or deletes. 0, or -1. */
__attribute__((warn_unused_result)) int account_database_run(struct account_database *database,
                                                             enum account_statement which,
                                                             const struct account_row *row);

/* A transaction. Where `synced`, it is on the disk when end returns 0, unlike what is only noted.
 * end takes what begin and all in between returned: where that is not 0 it rolls back and returns
 * -1. */
__attribute__((warn_unused_result)) int account_database_begin(struct account_database *database,
                                                               bool synced);
__attribute__((warn_unused_result)) int account_database_end(struct account_database *database,
                                                             int result);

#endif
