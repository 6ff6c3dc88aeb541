#include "ctl/key_answer.h"

#include <stdbool.h>
#include <string.h>

#include "base/logfmt.h"
#include "base/logfmt_line.h"

/* A host as the daemon's lines spell it: what is not ASCII is \xNN there. */
struct spelling {
    char text[LOGFMT_LINE_MAX];
};

struct first_line {
    const char *line;
};

/* Whose key a line is about; false: it is about none. */
static bool read_host(const char *line, struct spelling *host_r)
{
    struct spelling what;

    return logfmt_line_value(line, "what", what.text, sizeof(what.text)) &&
           strcmp(what.text, "key") == 0 &&
           logfmt_line_value(line, "host", host_r->text, sizeof(host_r->text));
}

static const char *line_behind(const char *line)
{
    const char *end = strchr(line, '\n');

    return end == NULL || end[1] == '\0' ? NULL : end + 1;
}

static int take_host(struct key_answer *answer, const struct spelling *host, const char *line)
{
    size_t length = strlen(host->text);
    struct first_line *first = arena_alloc(&answer->names, sizeof(*first));
    char *name = arena_copy(&answer->names, host->text, length);

    if (first == NULL || name == NULL)
        return -1;
    first->line = line;
    return name_table_add(&answer->hosts, name, length, first);
}

int key_answer_read(struct key_answer *answer, const char *text)
{
    *answer = (struct key_answer){.names = {NULL}};
    for (const char *line = text; line != NULL && *line != '\0'; line = line_behind(line)) {
        struct spelling host;

        if (read_host(line, &host) &&
            name_table_find(&answer->hosts, host.text, strlen(host.text)) == NULL &&
            take_host(answer, &host, line) != 0)
            return -1;
    }
    return 0;
}

const char *key_answer_find(const struct key_answer *answer, const char *host)
{
    struct logfmt line = {.length = 0};
    struct spelling spelling;
    const struct first_line *first;

    logfmt_text(&line, "host", host);
    if (!logfmt_line_value(line.text, "host", spelling.text, sizeof(spelling.text)))
        return NULL;
    first = name_table_find(&answer->hosts, spelling.text, strlen(spelling.text));
    return first == NULL ? NULL : first->line;
}

const char *key_answer_next(const char *line)
{
    const char *next = line_behind(line);
    struct spelling host, of_next;

    if (next == NULL || !read_host(line, &host) || !read_host(next, &of_next) ||
        strcmp(host.text, of_next.text) != 0)
        return NULL;
    return next;
}

void key_answer_clear(struct key_answer *answer)
{
    name_table_clear(&answer->hosts);
    arena_clear(&answer->names);
}
