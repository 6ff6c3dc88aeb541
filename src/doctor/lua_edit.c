#include "doctor/lua_edit.h"

#include <stdlib.h>
#include <string.h>

#include "doctor/text_file.h"

static const char blanks[] = " \t";
static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.";

/* A copy of a line, terminated; NULL where there is none. */
static const char *copy_line(struct findings *findings, const struct place *place)
{
    const char *why;
    size_t size;
    const char *at = text_file_read(&findings->arena, place->file, &size, &why);

    for (int line = 1; at != NULL && line < place->line; line++) {
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    return at == NULL ? NULL : arena_copy(&findings->arena, at, strcspn(at, "\r\n"));
}

/* The bytes of a plain value: a quoted text without escapes, or a word. 0: neither. */
static size_t value_length(const char *at)
{
    size_t length;

    if (*at != '"' && *at != '\'')
        return strspn(at, word);
    length = strcspn(at + 1, *at == '"' ? "\"\\" : "'\\");
    return at[1 + length] == *at ? length + 2 : 0;
}

/* Whether nothing but a comment follows. */
static bool is_end(const char *at)
{
    at += strspn(at, " \t;,");
    return *at == '\0' || strncmp(at, "--", 2) == 0;
}

void lua_edit_replace(struct findings *findings, const struct place *place, const char *name,
                      const char *value)
{
    const char *line = copy_line(findings, place);
    const char *at = line == NULL ? "" : line + strspn(line, blanks);
    struct place old = *place;
    size_t length;

    if (strncmp(at, name, strlen(name)) != 0)
        return;
    at += strlen(name);
    at += strspn(at, blanks);
    if (*at++ != '=')
        return;
    at += strspn(at, blanks);
    length = value_length(at);
    if (length == 0 || !is_end(at + length))
        return;
    old.end_line = old.line;
    old.column = (int)(at - line);
    old.end_column = old.column + (int)length;
    findings_replace(findings, &old, value);
}

void lua_edit_add(struct findings *findings, const struct place *place, const char *name,
                  const char *value)
{
    static const char keyword[] = "VirtualHost";
    const char *line = copy_line(findings, place);
    int indent = line == NULL ? 0 : (int)strspn(line, blanks);
    const char *at = line == NULL ? "" : line + indent;
    size_t length;

    if (strncmp(at, keyword, sizeof(keyword) - 1) != 0)
        return;
    at += sizeof(keyword) - 1;
    at += strspn(at, " \t(");
    length = value_length(at);
    if (length == 0)
        return;
    at += length;
    if (is_end(at + strspn(at, " \t)")))
        findings_insert(findings, place->file, place->line,
                        findings_text(findings, "%.*s    %s = %s\n", indent, line, name, value));
}
