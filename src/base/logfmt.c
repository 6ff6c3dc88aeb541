#include "base/logfmt.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_printable(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f;
}

static bool needs_quotes(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)value[i];

        if (!is_printable(byte) || byte == ' ' || byte == '"' || byte == '=' || byte == '\\')
            return true;
    }
    return length == 0;
}

/* Room for every byte as \xNN, the quotes, and the mark of a cut. */
enum { ESCAPED_MAX = LOGFMT_VALUE_MAX * 4 + 2 + 3 };

static size_t escape(const char *value, size_t length, char escaped[ESCAPED_MAX])
{
    static const char hex[] = "0123456789abcdef";
    size_t shown = length > LOGFMT_VALUE_MAX ? LOGFMT_VALUE_MAX : length;
    bool quotes = needs_quotes(value, shown);
    char *to = escaped;

    if (quotes)
        *to++ = '"';
    for (size_t i = 0; i < shown; i++) {
        unsigned char byte = (unsigned char)value[i];

        if (!is_printable(byte)) {
            *to++ = '\\';
            *to++ = 'x';
            *to++ = hex[byte >> 4];
            *to++ = hex[byte & 15];
            continue;
        }
        if (byte == '"' || byte == '\\')
            *to++ = '\\';
        *to++ = (char)byte;
    }
    if (shown < length) {
        for (int dots = 0; dots < 3; dots++)
            *to++ = '.';
    }
    if (quotes)
        *to++ = '"';
    return (size_t)(to - escaped);
}

void logfmt_bytes(struct logfmt *line, const char *key, const char *value, size_t length)
{
    char escaped[ESCAPED_MAX];
    size_t escaped_length = escape(value, length, escaped);
    size_t key_length = strlen(key);
    size_t blank = line->length > 0;

    if (line->length + blank + key_length + 1 + escaped_length > sizeof(line->text))
        return;
    if (blank)
        line->text[line->length++] = ' ';
    memcpy(line->text + line->length, key, key_length);
    line->length += key_length;
    line->text[line->length++] = '=';
    memcpy(line->text + line->length, escaped, escaped_length);
    line->length += escaped_length;
}

void logfmt_text(struct logfmt *line, const char *key, const char *value)
{
    if (value != NULL)
        logfmt_bytes(line, key, value, strlen(value));
}

void logfmt_append(struct logfmt *line, const struct logfmt *other)
{
    size_t blank = line->length > 0;

    if (other->length == 0 || line->length + blank + other->length > sizeof(line->text))
        return;
    if (blank)
        line->text[line->length++] = ' ';
    memcpy(line->text + line->length, other->text, other->length);
    line->length += other->length;
}

void logfmt_number(struct logfmt *line, const char *key, int64_t value)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%lld", (long long)value);

    logfmt_bytes(line, key, text, (size_t)length);
}
