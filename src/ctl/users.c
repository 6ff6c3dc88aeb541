/* users list|forget|import: who logged in at some time, and so exists. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "ctl/command.h"
#include "ctl/control.h"
#include "ctl/prepared_jid.h"
#include "ctl/report.h"

/* The name as it stands: what was seen is what a chat server has asked about. */
static enum ctl_status forget(const struct arguments *arguments)
{
    const char *name = arguments->operands[1];

    if (arguments->operand_count < 2 || strchr(name, '@') == NULL || strpbrk(name, " \r\n")) {
        ctl_complain("users forget needs USER@HOST");
        return CTL_ERROR;
    }
    return control_askf(arguments, "users forget %s\n", name);
}

/* --- import */

/* The daemon writes a line's names to its database at once, and nobody gets an answer meanwhile: a
 * line has no more bytes than that, some eighty names. A longer name has a line for itself. */
enum { IMPORT_LINE_SIZE = 2048 };

struct import {
    const struct arguments *arguments;
    FILE *file;
    const char *name;    /* of the file, for complaints */
    unsigned long lines; /* read so far */
    size_t length;
    char request[CONTROL_REQUEST_MAX];
};

static const char import_head[] = "users import";

/* Sends what has been gathered. */
static enum ctl_status flush(struct import *import)
{
    enum ctl_status status = CTL_YES;

    if (import->length > sizeof(import_head) - 1) {
        import->request[import->length++] = '\n';
        status = control_ask(import->arguments, import->request, import->length);
    }
    memcpy(import->request, import_head, sizeof(import_head) - 1);
    import->length = sizeof(import_head) - 1;
    return status;
}

static enum ctl_status gather(struct import *import, const char *jid)
{
    size_t length = strlen(jid);

    if (import->length + 1 + length + 1 > IMPORT_LINE_SIZE && flush(import) != CTL_YES) {
        ctl_complain("%s: users before line %lu may have been imported; it may be run again",
                     import->name, import->lines);
        return CTL_ERROR;
    }
    import->request[import->length++] = ' ';
    memcpy(import->request + import->length, jid, length);
    import->length += length;
    return CTL_YES;
}

/* Cuts off the line's end, and blanks around it. Returns what is left. */
static const char *trim(const char *line, size_t *length)
{
    static const char blanks[] = " \t\r\n";

    while (*length > 0 && strchr(blanks, line[*length - 1]) != NULL)
        (*length)--;
    while (*length > 0 && strchr(blanks, *line) != NULL) {
        line++;
        (*length)--;
    }
    return line;
}

static enum ctl_status take_line(struct import *import, const char *line, size_t length)
{
    char jid[PREPARED_JID_SIZE];
    const char *error;

    import->lines++;
    line = trim(line, &length);
    if (length == 0 || *line == '#')
        return CTL_YES;
    if (prepared_jid_make(line, length, jid, &error) == 0)
        return gather(import, jid);
    ctl_complain("%s:%lu: %s", import->name, import->lines, error);
    return CTL_ERROR;
}

static enum ctl_status import_lines(struct import *import)
{
    enum ctl_status status = flush(import);
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    while (status == CTL_YES && (length = getline(&line, &size, import->file)) >= 0)
        status = take_line(import, line, (size_t)length);
    free(line);
    if (status == CTL_YES && ferror(import->file)) {
        ctl_complain("%s can't be read to its end", import->name);
        status = CTL_ERROR;
    }
    return status == CTL_YES ? flush(import) : status;
}

static enum ctl_status import(const struct arguments *arguments)
{
    const char *path = arguments->operand_count > 1 ? arguments->operands[1] : "-";
    struct import import = {.arguments = arguments, .name = path, .file = stdin};
    enum ctl_status status;

    if (strcmp(path, "-") == 0) {
        import.name = "standard input";
    } else if ((import.file = fopen(path, "re")) == NULL) {
        ctl_complain("%s: %s", path, strerror(errno));
        return CTL_ERROR;
    }
    status = import_lines(&import);
    if (import.file != stdin)
        fclose(import.file);
    return status;
}

static enum ctl_status run_users(struct arguments *arguments)
{
    static const char *const words[] = {"list", "forget", "import"};
    const char *word = arguments->operands[0];
    const char *nearest = nearest_name(word, words, 3);

    if (strcmp(word, "list") == 0 && arguments->operand_count == 1)
        return control_list(arguments, "users list\n");
    if (strcmp(word, "forget") == 0)
        return forget(arguments);
    if (strcmp(word, "import") == 0)
        return import(arguments);
    ctl_complain("users takes list, forget USER@HOST or import [FILE]%s%s%s",
                 nearest == NULL || strcmp(word, nearest) == 0 ? "" : "; did you mean ",
                 nearest == NULL || strcmp(word, nearest) == 0 ? "" : nearest,
                 nearest == NULL || strcmp(word, nearest) == 0 ? "" : "?");
    return CTL_ERROR;
}

const struct command command_users = {
    .word = "users",
    .operands = "list|forget|import [USER@HOST|FILE]",
    .operands_min = 1,
    .operands_max = 2,
    .options = OPTION_BIT(OPTION_CONTROL),
    .meaning = "list, forget or import the users who exist where isuser = seen",
    .explanation =
        "list             a line (key=value) for each user seen, with the time of the last\n"
        "                 login, right to an hour\n"
        "forget USER@HOST this user was never seen\n"
        "import [FILE]    takes the users of FILE, or of standard input, as seen now: one\n"
        "                 USER@HOST a line; empty lines and those that begin with # are\n"
        "                 skipped. It may be run again.\n",
    .run = run_users,
};
