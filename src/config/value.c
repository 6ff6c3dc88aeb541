#include "config/value.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/number.h"
#include "base/timestamp.h"
#include "config/credential.h"
#include "config/http_address.h"
#include "config/store_rule.h"

static const char out_of_memory[] = "memory is short";

static const char *parse_text(const char *text, struct arena *arena, char **field)
{
    char *copy = NULL;

    if (text[0] != '\0') {
        copy = arena_copy(arena, text, strlen(text));
        if (copy == NULL)
            return out_of_memory;
    }
    *field = copy;
    return NULL;
}

static const char *parse_secrets(const char *text, struct arena *arena, char **field)
{
    const char *complaint = NULL;

    if (credential_is_meant(text))
        complaint = credential_complaint(text);
    else if (text[0] != '\0' && text[0] != '/')
        complaint = "takes an absolute path, or credential: and a name";
    return complaint != NULL ? complaint : parse_text(text, arena, field);
}

static const char *parse_path(const struct setting *setting, const char *text, struct arena *arena,
                              char **field)
{
    bool may_be_empty = setting->initial != NULL && setting->initial[0] == '\0';

    if (text[0] == '\0' ? !may_be_empty : text[0] != '/')
        return "takes an absolute path";
    if (setting->kind == VALUE_SOCKET_PATH &&
        strlen(text) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return "takes a path of at most 107 bytes: a socket's address holds no more";
    return parse_text(text, arena, field);
}

/* A number and one of the units' letters, or a bare number in the unit of *bare. */
static const char *parse_scaled(const char *text, const char *units, const int64_t *scales,
                                int64_t bare, const struct setting *setting, int64_t *field,
                                const char *complaint)
{
    size_t length = strlen(text);
    const char *unit = length > 0 ? strchr(units, text[length - 1]) : NULL;
    int64_t scale = unit == NULL ? bare : scales[unit - units];
    int64_t number;

    if (number_parse(text, unit == NULL ? length : length - 1, &number) != 0)
        return complaint;
    if (number > setting->maximum / scale || number * scale < setting->minimum)
        return "is out of bounds (see xmpp-authd.conf(5))";
    *field = number * scale;
    return NULL;
}

static const char *parse_mode(const char *text, int64_t *field)
{
    int64_t mode = 0;
    size_t length = strlen(text);

    if (length < 3 || length > 4 || strspn(text, "01234567") != length)
        return "takes an octal mode such as 0660";
    for (; *text != '\0'; text++)
        mode = mode * 8 + (*text - '0');
    if (mode > 0777 || (mode & 0600) != 0600)
        return "takes an octal mode from 0600 to 0777";
    *field = mode;
    return NULL;
}

static const char *parse_choice(const struct setting *setting, const char *text, int64_t *field)
{
    for (size_t i = 0; setting->choices[i] != NULL; i++) {
        if (strcmp(text, setting->choices[i]) == 0) {
            *field = (int64_t)i;
            return NULL;
        }
    }
    return "takes one of the words that xmpp-authd.conf(5) lists";
}

static const char *parse_names(const char *text, struct arena *arena, struct names *field)
{
    static const char separators[] = " \t,";
    struct names names = {0};
    size_t capacity = strlen(text) / 2 + 1;

    names.names = arena_alloc(arena, capacity * sizeof(*names.names));
    if (names.names == NULL)
        return out_of_memory;
    while (*(text += strspn(text, separators)) != '\0') {
        size_t length = strcspn(text, separators);
        const char *name = arena_copy(arena, text, length);

        if (name == NULL)
            return out_of_memory;
        names.names[names.count++] = name;
        text += length;
    }
    *field = names;
    return NULL;
}

static const char *parse_secret(const char *text, struct secret *field)
{
    struct secret secret;

    if (text[0] == '\0')
        return "is empty; xmpp-authctl keygen makes a good one";
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return "holds a blank or a control character; xmpp-authctl keygen makes a good one";
    }
    if (secret_set(&secret, text, strlen(text)) != 0)
        return out_of_memory;
    secret_clear(field);
    *field = secret;
    return NULL;
}

static const char *parse_is_user(const char *text, struct arena *arena, struct is_user_rule *field)
{
    struct is_user_rule rule = {.mode = IS_USER_FILE};

    if (strcmp(text, "always") == 0) {
        rule.mode = IS_USER_ALWAYS;
    } else if (strcmp(text, "never") == 0) {
        rule.mode = IS_USER_NEVER;
    } else if (strcmp(text, "seen") == 0) {
        rule.mode = IS_USER_SEEN;
    } else if (strncmp(text, "file:/", 6) == 0) {
        rule.path = arena_copy(arena, text + 5, strlen(text + 5));
        if (rule.path == NULL)
            return out_of_memory;
    } else {
        return "takes always, never, seen, or file: and an absolute path";
    }
    *field = rule;
    return NULL;
}

static const char *parse_time(const struct setting *setting, const char *text, int64_t *field)
{
    if (text[0] == '\0') {
        *field = setting->minimum;
        return NULL;
    }
    return timestamp_parse(text, field) == 0 ? NULL : "takes a time such as 2027-01-01T00:00:00Z";
}

const char *value_parse(const struct setting *setting, const char *text, struct arena *arena,
                        void *values)
{
    static const int64_t second_scales[] = {1000, 60000, 3600000, 86400000};
    static const int64_t byte_scales[] = {1024, 1048576};
    void *field = (char *)values + setting->offset;

    switch (setting->kind) {
    case VALUE_TEXT:
        return parse_text(text, arena, field);
    case VALUE_PATH:
    case VALUE_SOCKET_PATH:
        return parse_path(setting, text, arena, field);
    case VALUE_SECRETS:
        return parse_secrets(text, arena, field);
    case VALUE_NUMBER:
        return parse_scaled(text, "", byte_scales, 1, setting, field, "takes a whole number");
    case VALUE_SIZE:
        return parse_scaled(text, "km", byte_scales, 1, setting, field,
                            "takes a size such as 64k or 1m");
    case VALUE_DURATION:
        return parse_scaled(text, "smhd", second_scales, 1000, setting, field,
                            "takes a duration such as 30s, 5m or 1h");
    case VALUE_MODE:
        return parse_mode(text, field);
    case VALUE_CHOICE:
        return parse_choice(setting, text, field);
    case VALUE_NAMES:
        return parse_names(text, arena, field);
    case VALUE_SECRET:
        return parse_secret(text, field);
    case VALUE_STORE:
        return store_rule_parse(text, arena, field);
    case VALUE_HTTP:
        return http_address_parse(text, arena, field);
    case VALUE_TIME:
        return parse_time(setting, text, field);
    case VALUE_IS_USER:
        return parse_is_user(text, arena, field);
    }
    return "is of an unknown kind";
}

const char *value_set_default(const struct setting *setting, struct arena *arena, void *values)
{
    if (setting->initial != NULL)
        return value_parse(setting, setting->initial, arena, values);
    if (setting->kind == VALUE_TIME)
        *(int64_t *)(void *)((char *)values + setting->offset) = setting->minimum;
    return NULL;
}

static const char *scaled_text(int64_t value, const char *units, const int64_t *scales,
                               char text_r[VALUE_TEXT_SIZE])
{
    size_t unit = strlen(units);

    while (unit > 1 && value % scales[unit - 1] != 0)
        unit--;
    snprintf(text_r, VALUE_TEXT_SIZE, "%lld%c", (long long)(value / scales[unit - 1]),
             units[unit - 1]);
    return text_r;
}

static const char *names_text(const struct names *names, char text_r[VALUE_TEXT_SIZE])
{
    size_t used = 0;

    text_r[0] = '\0';
    for (size_t i = 0; i < names->count && used < VALUE_TEXT_SIZE; i++)
        used += (size_t)snprintf(text_r + used, VALUE_TEXT_SIZE - used, "%s%s", i > 0 ? " " : "",
                                 names->names[i]);
    return text_r;
}

static const char *plain_text(const char *text, char text_r[VALUE_TEXT_SIZE])
{
    snprintf(text_r, VALUE_TEXT_SIZE, "%s", text == NULL ? "" : text);
    return text_r;
}

static const char *is_user_text(const struct is_user_rule *rule, char text_r[VALUE_TEXT_SIZE])
{
    static const char *const words[] = {"always", "never", "seen", "file:"};

    snprintf(text_r, VALUE_TEXT_SIZE, "%s%s", words[rule->mode],
             rule->path == NULL ? "" : rule->path);
    return text_r;
}

static const char *number_text(const struct setting *setting, int64_t number,
                               char text_r[VALUE_TEXT_SIZE])
{
    static const int64_t second_scales[] = {1000, 60000, 3600000, 86400000};
    char time[TIMESTAMP_SIZE];

    switch (setting->kind) {
    case VALUE_DURATION:
        return scaled_text(number, "smhd", second_scales, text_r);
    case VALUE_MODE:
        snprintf(text_r, VALUE_TEXT_SIZE, "%04llo", (unsigned long long)number);
        return text_r;
    case VALUE_CHOICE:
        return plain_text(setting->choices[number], text_r);
    case VALUE_TIME:
        return plain_text(number == setting->minimum ? NULL : timestamp_format(number, time),
                          text_r);
    default:
        snprintf(text_r, VALUE_TEXT_SIZE, "%lld", (long long)number);
        return text_r;
    }
}

const char *value_format(const struct setting *setting, const void *values,
                         char text_r[VALUE_TEXT_SIZE])
{
    const void *field = (const char *)values + setting->offset;

    switch (setting->kind) {
    case VALUE_TEXT:
    case VALUE_PATH:
    case VALUE_SOCKET_PATH:
    case VALUE_SECRETS:
        return plain_text(*(char *const *)field, text_r);
    case VALUE_NAMES:
        return names_text(field, text_r);
    case VALUE_SECRET:
        return plain_text(((const struct secret *)field)->bytes == NULL ? NULL : "(secret)",
                          text_r);
    case VALUE_STORE:
        return store_rule_format(field, text_r, VALUE_TEXT_SIZE);
    case VALUE_HTTP:
        return http_address_format(field, text_r, VALUE_TEXT_SIZE);
    case VALUE_IS_USER:
        return is_user_text(field, text_r);
    default:
        return number_text(setting, *(const int64_t *)field, text_r);
    }
}
