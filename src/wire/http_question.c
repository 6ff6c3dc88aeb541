#include "wire/http_question.h"

#include <string.h>

enum field { FIELD_USER, FIELD_SERVER, FIELD_PASS, FIELD_COUNT };

static const char *const field_names[FIELD_COUNT] = {"user", "server", "pass"};

struct text {
    const char *bytes;
    size_t length;
    bool is_there;
};

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit >= 'A' ? digit | 0x20 : digit);

    return found == NULL ? -1 : (int)(found - digits);
}

/* Decodes into at, which has room for as many bytes as there are; how many it became, or -1. */
static long decode(const char *form, size_t length, char *at)
{
    long decoded = 0;

    for (size_t i = 0; i < length; i++) {
        char byte = form[i];

        if ((unsigned char)byte <= 0x20 || byte == 0x7f)
            return -1;
        if (byte == '+') {
            byte = ' ';
        } else if (byte == '%') {
            int high = length - i > 2 ? hex_value(form[i + 1]) : -1;
            int low = high >= 0 ? hex_value(form[i + 2]) : -1;

            if (low < 0)
                return -1;
            byte = (char)(high << 4 | low);
            i += 2;
        }
        at[decoded++] = byte;
    }
    return decoded;
}

/* The names of fields need no escape, and nobody sends them with one. */
static int find_field(const char *name, size_t length)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        if (strlen(field_names[field]) == length && memcmp(field_names[field], name, length) == 0)
            return field;
    }
    return -1;
}

/* Takes NAME=VALUE, decoding at *at, which moves on. */
static bool take_pair(const char *pair, size_t length, struct text fields[FIELD_COUNT], char **at)
{
    const char *equals = memchr(pair, '=', length);
    int field = equals == NULL ? -1 : find_field(pair, (size_t)(equals - pair));
    long decoded;

    if (field < 0 || fields[field].is_there)
        return false;
    decoded = decode(equals + 1, (size_t)(pair + length - equals - 1), *at);
    if (decoded < 0 || question_has_control_bytes(*at, (size_t)decoded))
        return false;
    fields[field] = (struct text){*at, (size_t)decoded, true};
    *at += decoded;
    return true;
}

static bool take_pairs(const char *form, size_t length, struct text fields[FIELD_COUNT], char *at)
{
    const char *end = form + length;

    for (;;) {
        const char *pair_end = memchr(form, '&', (size_t)(end - form));

        if (pair_end == NULL)
            pair_end = end;
        if (!take_pair(form, (size_t)(pair_end - form), fields, &at))
            return false;
        if (pair_end == end)
            return true;
        form = pair_end + 1;
    }
}

struct question http_question_parse(enum question_kind kind, const char *form, size_t length,
                                    char text_r[REQUEST_MAX])
{
    struct text fields[FIELD_COUNT] = {{0}};
    const struct text *user = &fields[FIELD_USER], *server = &fields[FIELD_SERVER];
    const struct text *pass = &fields[FIELD_PASS];
    struct question question = {.kind = kind, .password = ""};

    if (length > REQUEST_MAX || !take_pairs(form, length, fields, text_r) || !user->is_there ||
        !server->is_there || (kind == QUESTION_AUTH && !pass->is_there) ||
        memchr(user->bytes, ':', user->length) != NULL)
        return question_malformed;
    question.user = user->bytes;
    question.user_length = user->length;
    question.host = server->bytes;
    question.host_length = server->length;
    if (kind == QUESTION_AUTH) {
        question.password = pass->bytes;
        question.password_length = pass->length;
    }
    return question_is_well_formed(&question) ? question : question_malformed;
}
