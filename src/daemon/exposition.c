#include "daemon/exposition.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void exposition_family(struct evbuffer *output, const char *name, const char *type,
                       const char *help)
{
    evbuffer_add_printf(output, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

enum { ESCAPE_SIZE = 6 };

/* One byte of a label value as it is written, 1 to 5 bytes. The format is UTF-8; a configuration
 * need not be, so other bytes than printable ASCII are spelled out. */
static size_t escape(unsigned char byte, char text_r[ESCAPE_SIZE])
{
    if (byte == '"' || byte == '\\')
        return (size_t)snprintf(text_r, ESCAPE_SIZE, "\\%c", byte);
    if (byte >= ' ' && byte < 0x7f)
        return (size_t)snprintf(text_r, ESCAPE_SIZE, "%c", byte);
    return (size_t)snprintf(text_r, ESCAPE_SIZE, "\\\\x%02x", byte);
}

static void add_label(struct evbuffer *output, const struct label *label, char before)
{
    char text[EXPOSITION_VALUE_MAX + ESCAPE_SIZE];
    size_t length = 0;

    for (const char *at = label->value; *at != '\0' && length < EXPOSITION_VALUE_MAX; at++)
        length += escape((unsigned char)*at, text + length);
    evbuffer_add_printf(output, "%c%s=\"%.*s\"", before, label->name, (int)length, text);
}

static void add_sample(struct evbuffer *output, const char *name, const struct label *labels,
                       size_t label_count, const char *value)
{
    evbuffer_add(output, name, strlen(name));
    for (size_t i = 0; i < label_count; i++)
        add_label(output, &labels[i], i == 0 ? '{' : ',');
    evbuffer_add_printf(output, "%s %s\n", label_count > 0 ? "}" : "", value);
}

void exposition_number(struct evbuffer *output, const char *name, const struct label *labels,
                       size_t label_count, uint64_t value)
{
    char text[EXPOSITION_SECONDS_SIZE];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    add_sample(output, name, labels, label_count, text);
}

void exposition_seconds(struct evbuffer *output, const char *name, const struct label *labels,
                        size_t label_count, int64_t seconds, uint32_t nanoseconds)
{
    char text[EXPOSITION_SECONDS_SIZE];

    if (nanoseconds == 0)
        snprintf(text, sizeof(text), "%" PRId64, seconds);
    else
        snprintf(text, sizeof(text), "%" PRId64 ".%09" PRIu32, seconds, nanoseconds);
    add_sample(output, name, labels, label_count, text);
}

const char *exposition_bound(int64_t nanoseconds, char text_r[EXPOSITION_SECONDS_SIZE])
{
    size_t length = (size_t)snprintf(text_r, EXPOSITION_SECONDS_SIZE, "%" PRId64 ".%09" PRId64,
                                     nanoseconds / 1000000000, nanoseconds % 1000000000);

    while (text_r[length - 1] == '0' && text_r[length - 2] != '.')
        length--;
    text_r[length] = '\0';
    return text_r;
}
