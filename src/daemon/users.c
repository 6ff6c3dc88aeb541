#include "daemon/users.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/timestamp.h"
#include "daemon/answer_line.h"
#include "daemon/log.h"
#include "daemon/store.h"
#include "wire/question.h"

/* Names in a request line: three bytes and a blank each, at the least. */
enum { NAMES_MAX = REQUEST_MAX / 4 + 1 };

/* Rows in one portion of a list: some 16 kilobytes, and less than a millisecond. */
enum { PORTION_ROWS = 200 };

static void write_error(struct evbuffer *output, const char *why)
{
    struct logfmt line = {.length = 0};

    logfmt_text(&line, "error", why);
    answer_line_write(&line, output);
}

/* Whether a chat server could ask about it: the rules of the wire are those of names. */
static bool is_bare_jid(const struct control_word *word)
{
    static const char head[] = "isuser:";
    char text[REQUEST_MAX + sizeof(head)];
    char *at;

    if (word->length > REQUEST_MAX)
        return false;
    memcpy(text, head, sizeof(head) - 1);
    memcpy(text + sizeof(head) - 1, word->text, word->length);
    at = memchr(text + sizeof(head) - 1, '@', word->length);
    if (at == NULL)
        return false;
    *at = ':';
    return question_parse(text, sizeof(head) - 1 + word->length).kind == QUESTION_IS_USER;
}

bool users_takes_jid(const struct control_word *word, struct evbuffer *output)
{
    if (is_bare_jid(word))
        return true;
    write_error(output, "a user is named USER@HOST");
    return false;
}

/* What is kept in a directory that was moved away would be gone with the next start. */
static bool has_database(const struct server *server, struct evbuffer *output)
{
    const char *lost = server_state_lost(server);

    if (lost != NULL)
        write_error(output, lost);
    return lost == NULL;
}

static void add_end(struct logfmt *line, int64_t until)
{
    char text[TIMESTAMP_SIZE];

    logfmt_text(line, "until",
                until == DENIED_FOR_EVER ? "forever" : timestamp_format(until, text));
}

static const char database_fails[] = "the database of users can't be written; nothing has changed";

/* The answer, and the same in the log: who was shut out or let in is to be found there later. */
static void conclude(struct evbuffer *output, struct log_line *line, const struct logfmt *answer)
{
    logfmt_append(&line->fields, answer);
    log_end(line, LOG_LEVEL_INFO);
    answer_line_write(answer, output);
}

void users_deny(struct server *server, const struct control_word *words, size_t count,
                struct evbuffer *output)
{
    struct moment now = server_now(server);
    struct logfmt answer = {.length = 0};
    struct log_line line;
    int64_t until = DENIED_FOR_EVER;

    if (!users_takes_jid(&words[0], output) || !has_database(server, output))
        return;
    if (count > 1 && (number_parse(words[1].text, words[1].length, &until) != 0 ||
                      until <= moment_seconds(now))) {
        write_error(output, "the end of a denial is a time to come, in seconds since 1970");
        return;
    }
    if (accounts_deny(server->accounts, words[0].text, words[0].length, until, now.wall_ms) != 0) {
        write_error(output, database_fails);
        return;
    }
    logfmt_bytes(&answer, "denied", words[0].text, words[0].length);
    add_end(&answer, until);
    log_begin(&line, LOG_LEVEL_INFO, "user-denied");
    conclude(output, &line, &answer);
}

void users_allow(struct server *server, const struct control_word *words, size_t count,
                 struct evbuffer *output)
{
    struct moment now = server_now(server);
    struct logfmt answer = {.length = 0};
    struct log_line line;
    bool was_denied =
        accounts_is_denied(server->accounts, words[0].text, words[0].length, moment_seconds(now));

    (void)count;
    if (!users_takes_jid(&words[0], output) || !has_database(server, output))
        return;
    if (accounts_allow(server->accounts, words[0].text, words[0].length, now.wall_ms) != 0) {
        write_error(output, database_fails);
        return;
    }
    logfmt_bytes(&answer, "allowed", words[0].text, words[0].length);
    logfmt_text(&answer, "was_denied", was_denied ? "yes" : "no");
    log_begin(&line, LOG_LEVEL_INFO, "user-allowed");
    conclude(output, &line, &answer);
}

void users_forget(struct server *server, const struct control_word *words, size_t count,
                  struct evbuffer *output)
{
    bool was_seen = accounts_has_seen(server->accounts, words[0].text, words[0].length);
    struct logfmt answer = {.length = 0};
    struct log_line line;

    (void)count;
    if (!users_takes_jid(&words[0], output) || !has_database(server, output))
        return;
    if (accounts_forget(server->accounts, words[0].text, words[0].length) != 0) {
        write_error(output, database_fails);
        return;
    }
    logfmt_bytes(&answer, "forgotten", words[0].text, words[0].length);
    logfmt_text(&answer, "was_seen", was_seen ? "yes" : "no");
    log_begin(&line, LOG_LEVEL_INFO, "user-forgotten");
    conclude(output, &line, &answer);
}

void users_import(struct server *server, const struct control_word *words, size_t count,
                  struct evbuffer *output)
{
    struct accounts_name names[NAMES_MAX];
    struct logfmt answer = {.length = 0};
    struct log_line line;
    const char *error = NULL;
    size_t added = 0;

    for (size_t i = 0; i < count; i++) {
        if (!users_takes_jid(&words[i], output))
            return;
        names[i] = (struct accounts_name){words[i].text, words[i].length};
    }
    if (!has_database(server, output))
        return;
    if (accounts_import(server->accounts, names, count, moment_seconds(server_now(server)), &added,
                        &error) != 0) {
        write_error(output, error);
        return;
    }
    logfmt_number(&answer, "imported", (int64_t)added);
    logfmt_number(&answer, "known", (int64_t)(count - added));
    log_begin(&line, LOG_LEVEL_INFO, "users-imported");
    conclude(output, &line, &answer);
}

/* --- lists */

struct users_listing {
    struct accounts *accounts;
    enum accounts_kind kind;
    int64_t now;
    struct evbuffer *output;
    size_t after_length; /* the last name that was listed */
    char after[ACCOUNT_NAME_MAX];
    int64_t listed;
};

struct users_listing *users_listing_begin(struct server *server, enum accounts_kind kind)
{
    struct users_listing *listing = calloc(1, sizeof(*listing));

    if (listing == NULL)
        return NULL;
    listing->accounts = server->accounts;
    listing->kind = kind;
    listing->now = moment_seconds(server_now(server));
    return listing;
}

static void list_user(void *context, const char *jid, size_t length, int64_t time)
{
    struct users_listing *listing = context;
    struct logfmt line = {.length = 0};
    char text[TIMESTAMP_SIZE];

    memcpy(listing->after, jid, length);
    listing->after_length = length;
    if (listing->kind == ACCOUNTS_DENIED && time <= listing->now)
        return;
    logfmt_bytes(&line, "jid", jid, length);
    if (listing->kind == ACCOUNTS_DENIED)
        add_end(&line, time);
    else
        logfmt_text(&line, "last", timestamp_format(time, text));
    answer_line_write(&line, listing->output);
    listing->listed++;
}

/* Shows that the list is whole, and that an empty one is an answer. */
static void write_total(const struct users_listing *listing)
{
    struct logfmt line = {.length = 0};

    logfmt_number(&line, "listed", listing->listed);
    answer_line_write(&line, listing->output);
}

bool users_listing_continue(struct users_listing *listing, struct evbuffer *output)
{
    int count;

    listing->output = output;
    count = accounts_page(listing->accounts, listing->kind, listing->after, listing->after_length,
                          PORTION_ROWS, list_user, listing);
    if (count < 0)
        write_error(output, "the database of users can't be read; the list is incomplete");
    else if (count < PORTION_ROWS)
        write_total(listing);
    return count == PORTION_ROWS;
}

void users_listing_end(struct users_listing **listing)
{
    free(*listing);
    *listing = NULL;
}
