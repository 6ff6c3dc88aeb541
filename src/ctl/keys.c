/* keys [HOST]: each key's fingerprint, dates and uses, and which can go. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/timestamp.h"
#include "config/key_rules.h"
#include "ctl/command.h"
#include "ctl/control.h"
#include "ctl/key_list.h"
#include "ctl/key_source.h"
#include "ctl/report.h"

enum { COLUMN_COUNT = 6, CELL_SIZE = 256 };

struct row {
    char cells[COLUMN_COUNT][CELL_SIZE];
};

struct survey {
    const struct config *config;
    struct key_answer answer;
    bool has_answer; /* a daemon gave one */
    int64_t now;
};

static void write_dates(const struct key_view *key, char cell_r[CELL_SIZE])
{
    char from[TIMESTAMP_SIZE], until[TIMESTAMP_SIZE];

    timestamp_format(key->accept_from, from);
    timestamp_format(key->accept_until, until);
    if (key->accept_from == INT64_MIN && key->accept_until == INT64_MAX)
        snprintf(cell_r, CELL_SIZE, "always");
    else if (key->accept_until == INT64_MAX)
        snprintf(cell_r, CELL_SIZE, "from %s", from);
    else if (key->accept_from == INT64_MIN)
        snprintf(cell_r, CELL_SIZE, "until %s", until);
    else
        snprintf(cell_r, CELL_SIZE, "%s to %s", from, until);
}

/* Dead tokens keep no key alive, but somebody who sends them wants to know why they are dead. */
static void add_dead_tokens(const struct key_view *key, char cell[CELL_SIZE])
{
    char text[TIMESTAMP_SIZE];
    size_t used = strlen(cell);

    if (key->last_genuine > key->last_use)
        snprintf(cell + used, CELL_SIZE - used, "; a token of it was refused at %s",
                 timestamp_format(key->last_genuine, text));
}

static void write_safety(const struct key_view *key, enum key_safety safety, int64_t wait,
                         char cell_r[CELL_SIZE])
{
    static const char *const words[] = {
        [KEY_IN_USE] = "no: in use",
        [KEY_ONLY] = "no: no other key counts now",
        [KEY_NOT_YET] = "no: it does not count yet",
        [KEY_USES_UNKNOWN] = "unknown: no daemon answered",
        [KEY_NOT_LOADED] = "no: the daemon does not have it yet: reload",
        [KEY_NEW] = "no: unused, but counted only since ",
        [KEY_NO_OTHER] = "no: unused, but no other key was used either since ",
        [KEY_REMOVED] = "deleted already: reload",
        [KEY_SAFE_EXPIRED] = "yes: its dates are over",
        [KEY_SAFE_UNUSED] = "yes: others were used, it was not, since ",
    };
    char text[TIMESTAMP_SIZE];
    int64_t idle_since = key->last_use > key->since ? key->last_use : key->since;
    bool tells_time = safety == KEY_NEW || safety == KEY_NO_OTHER || safety == KEY_SAFE_UNUSED;

    snprintf(cell_r, CELL_SIZE, "%s%s", words[safety],
             tells_time ? timestamp_format(idle_since, text) : "");
    if (safety == KEY_IN_USE)
        snprintf(cell_r, CELL_SIZE, "no: in use; unused it can go at %s",
                 timestamp_format(key->last_use + wait, text));
    add_dead_tokens(key, cell_r);
}

static void write_row(const struct survey *survey, const struct key_list *list, size_t at,
                      int64_t life, struct row *row_r)
{
    const struct key_view *key = &list->keys[at];
    char text[TIMESTAMP_SIZE];

    snprintf(row_r->cells[0], CELL_SIZE, "%s", key->fingerprint.text);
    snprintf(row_r->cells[1], CELL_SIZE, "%s", key->name[0] == '\0' ? "-" : key->name);
    write_dates(key, row_r->cells[2]);
    if (key->loaded) {
        snprintf(row_r->cells[3], CELL_SIZE, "%llu", (unsigned long long)key->uses);
        snprintf(row_r->cells[4], CELL_SIZE, "%s",
                 key->last_use == 0 ? "-" : timestamp_format(key->last_use, text));
    } else {
        snprintf(row_r->cells[3], CELL_SIZE, "%s", survey->has_answer ? "-" : "unknown");
        snprintf(row_r->cells[4], CELL_SIZE, "%s", survey->has_answer ? "-" : "unknown");
    }
    write_safety(
        key, key_safety_judge(list->keys, list->count, at, survey->now, life, survey->has_answer),
        key_safety_wait(life), row_r->cells[5]);
}

/* Nothing that stands in a name may move the terminal's cursor. */
static void print_cell(const char *text, size_t width)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++)
        putchar(isprint((unsigned char)text[i]) ? text[i] : '?');
    for (; length < width; length++)
        putchar(' ');
}

static void print_rows(const struct row *rows, size_t count)
{
    size_t widths[COLUMN_COUNT] = {0};

    for (size_t column = 0; column < COLUMN_COUNT - 1; column++) {
        for (size_t i = 0; i < count; i++) {
            size_t length = strlen(rows[i].cells[column]);

            widths[column] = length > widths[column] ? length : widths[column];
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t column = 0; column < COLUMN_COUNT; column++) {
            fputs(column == 0 ? "" : "  ", stdout);
            print_cell(rows[i].cells[column], widths[column]);
        }
        putchar('\n');
    }
}

static int print_host(const struct survey *survey, const struct host *host)
{
    static const struct row head = {
        {"FINGERPRINT", "KEY", "COUNTS", "LOGINS", "LAST LOGIN", "SAFE TO DELETE"}};
    struct key_list list;
    struct row *rows;

    if (key_list_make(&list, host, &survey->answer) != 0)
        return -1;
    rows = calloc(list.count + 1, sizeof(*rows));
    if (rows != NULL) {
        rows[0] = head;
        for (size_t i = 0; i < list.count; i++)
            write_row(survey, &list, i, host_token_life(host), &rows[i + 1]);
        fputs("[host ", stdout);
        print_cell(host->name, 0);
        fputs("]\n", stdout);
        print_rows(rows, list.count + 1);
    }
    free(rows);
    key_list_clear(&list);
    return rows == NULL ? -1 : 0;
}

static enum ctl_status print_all(const struct survey *survey, const struct host *only)
{
    for (size_t i = 0; i < survey->config->host_count; i++) {
        const struct host *host = &survey->config->hosts[i];

        if (only != NULL && only != host)
            continue;
        if (only == NULL && i > 0)
            putchar('\n');
        if (print_host(survey, host) != 0) {
            ctl_complain("memory is short");
            return CTL_ERROR;
        }
    }
    return CTL_YES;
}

static enum ctl_status run_keys(struct arguments *arguments)
{
    const char *name = arguments->operand_count > 0 ? arguments->operands[0] : NULL;
    const char *path = arguments->values[OPTION_CONTROL];
    struct config *config = key_source_load_config(arguments, NULL);
    enum ctl_status status = CTL_ERROR;
    const struct host *host = NULL;

    if (config != NULL && name != NULL)
        host = key_source_section(config, name);
    if (config != NULL && (name == NULL || host != NULL)) {
        char *answer = control_fetch(path == NULL ? config->control_path : path, "keys\n");
        struct survey survey = {
            .config = config, .has_answer = answer != NULL, .now = (int64_t)time(NULL)};

        if (answer == NULL)
            ctl_complain("how often the keys are used is unknown");
        if (key_answer_read(&survey.answer, answer) == 0)
            status = print_all(&survey, host);
        else
            ctl_complain("memory is short");
        key_answer_clear(&survey.answer);
        free(answer);
    }
    config_destroy(&config);
    return status;
}

const struct command command_keys = {
    .word = "keys",
    .operands = "[HOST]",
    .operands_max = 1,
    .options = OPTION_BIT(OPTION_CONTROL),
    .meaning = "show each key's fingerprint, dates and uses, and which can be deleted",
    .explanation =
        "Lists the keys of the configuration with what the running daemon counted since its\n"
        "start, or the reload that brought them. A key can go when its dates are over, or when\n"
        "nobody logged in with it for an hour in which somebody did with another one.\n",
    .run = run_keys,
};
