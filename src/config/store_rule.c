#include "config/store_rule.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

static const char form[] =
    "takes journal, memory, redis://[:PASSWORD@]HOST:PORT/DB with HOST an IP "
    "address, or redis+unix:PATH";

enum { REDIS_PORT = 6379, PORT_MAX = 65535, DATABASE_MAX = 65535 };

#ifdef HAVE_REDIS
static bool is_address(const char *text)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool take_number(const char *text, size_t length, int64_t maximum, int *number)
{
    int64_t value;

    if (number_parse(text, length, &value) != 0 || value > maximum)
        return false;
    *number = (int)value;
    return true;
}

/* HOST, [HOST] or either with :PORT. A name would have to be looked up, and that blocks. */
static const char *take_host(char *text, struct store_rule *rule)
{
    char *port = strrchr(text, ':');

    rule->port = REDIS_PORT;
    if (text[0] == '[') {
        char *end = strchr(text, ']');

        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return form;
        port = end[1] == ':' ? end + 1 : NULL;
        *end = '\0';
        text++;
    }
    if (port != NULL) {
        if (!take_number(port + 1, strlen(port + 1), PORT_MAX, &rule->port) || rule->port == 0)
            return form;
        *port = '\0';
    }
    rule->host = strcmp(text, "localhost") == 0 ? "127.0.0.1" : text;
    return is_address(rule->host) ? NULL : form;
}

static const char *take_url(char *text, struct store_rule *rule)
{
    char *at = strrchr(text, '@');
    char *slash;

    if (at != NULL && text[0] != ':')
        return form;
    if (at != NULL) {
        size_t length = (size_t)(at - text) - 1;

        *at = '\0';
        if (length == 0 || secret_set(&rule->password, text + 1, length + 1) != 0)
            return form;
        explicit_bzero(text, length + 1);
        text = at + 1;
    }
    slash = strchr(text, '/');
    if (slash != NULL) {
        *slash = '\0';
        if (slash[1] != '\0' &&
            !take_number(slash + 1, strlen(slash + 1), DATABASE_MAX, &rule->database))
            return form;
    }
    return take_host(text, rule);
}
#endif

static const char *take_redis(const char *text, struct arena *arena, struct store_rule *rule)
{
    static const char network[] = "redis://";
    static const char local[] = "redis+unix:";
    bool is_local = strncmp(text, local, strlen(local)) == 0;
    const char *complaint;
    char *copy;

    if (!is_local && strncmp(text, network, strlen(network)) != 0)
        return form;
#ifndef HAVE_REDIS
    (void)arena;
    (void)rule;
    (void)copy;
    (void)complaint;
    return "names a Redis, and this build has no hiredis";
#else
    text += strlen(is_local ? local : network);
    copy = arena_copy(arena, text, strlen(text));
    if (copy == NULL)
        return "memory is short";
    rule->kind = STORE_REDIS;
    if (is_local) {
        rule->path = copy;
        return copy[0] == '/' ? NULL : form;
    }
    complaint = take_url(copy, rule);
    /* It may hold a password in the wrong place. */
    if (complaint != NULL)
        explicit_bzero(copy, strlen(text));
    return complaint;
#endif
}

const char *store_rule_parse(const char *text, struct arena *arena, struct store_rule *rule)
{
    struct store_rule parsed = {0};
    const char *complaint = NULL;

    if (strcmp(text, "journal") == 0)
        parsed.kind = STORE_JOURNAL;
    else if (strcmp(text, "memory") == 0)
        parsed.kind = STORE_MEMORY;
    else
        complaint = take_redis(text, arena, &parsed);
    if (complaint != NULL) {
        secret_clear(&parsed.password);
        return complaint;
    }
    secret_clear(&rule->password);
    *rule = parsed;
    return NULL;
}

const char *store_rule_format(const struct store_rule *rule, char *text_r, size_t size)
{
    bool is_six = rule->host != NULL && strchr(rule->host, ':') != NULL;

    if (rule->kind != STORE_REDIS)
        snprintf(text_r, size, "%s", rule->kind == STORE_JOURNAL ? "journal" : "memory");
    else if (rule->host == NULL)
        snprintf(text_r, size, "redis+unix:%s", rule->path);
    else
        snprintf(text_r, size, "redis://%s%s%s%s:%d/%d",
                 rule->password.bytes == NULL ? "" : ":(secret)@", is_six ? "[" : "", rule->host,
                 is_six ? "]" : "", rule->port, rule->database);
    return text_r;
}

bool store_rule_is_remote(const struct store_rule *rule)
{
    return rule->kind == STORE_REDIS && rule->host != NULL && strncmp(rule->host, "127.", 4) != 0 &&
           strcmp(rule->host, "::1") != 0;
}
