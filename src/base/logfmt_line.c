#include "base/logfmt_line.h"

#include <string.h>

/* The end of the value at text: a blank, or the closing quote and what is behind it. */
static const char *value_end(const char *text)
{
    if (*text != '"')
        return text + strcspn(text, " \n");
    for (text++; *text != '\0' && *text != '"'; text++) {
        if (*text == '\\' && text[1] != '\0')
            text++;
    }
    return *text == '"' ? text + 1 : text;
}

static bool copy_value(const char *text, const char *end, char *value_r, size_t size)
{
    bool is_quoted = end > text + 1 && *text == '"' && end[-1] == '"';
    size_t used = 0;

    if (is_quoted) {
        text++;
        end--;
    }
    for (; text < end; text++) {
        if (*text == '\\' && text + 1 < end && (text[1] == '"' || text[1] == '\\'))
            text++;
        if (used + 1 >= size)
            return false;
        value_r[used++] = *text;
    }
    if (used >= size)
        return false;
    value_r[used] = '\0';
    return true;
}

bool logfmt_line_value(const char *line, const char *name, char *value_r, size_t size)
{
    size_t length = strlen(name);

    while (*line != '\0') {
        const char *equals;
        const char *end;

        line += strspn(line, " ");
        equals = line + strcspn(line, "= \n");
        if (*equals != '=')
            return false;
        end = value_end(equals + 1);
        if ((size_t)(equals - line) == length && memcmp(line, name, length) == 0)
            return copy_value(equals + 1, end, value_r, size);
        line = end;
    }
    return false;
}
