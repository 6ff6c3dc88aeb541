#include <string.h>

#include "config/config.h"
#include "config/value.h"

static bool same_value(const struct setting *setting, const struct section *one,
                       const struct section *other)
{
    char one_text[VALUE_TEXT_SIZE];
    char other_text[VALUE_TEXT_SIZE];

    return strcmp(value_format(setting, one->values, one_text),
                  value_format(setting, other->values, other_text)) == 0;
}

static const struct section *counterpart(const struct config *config, const struct section *section)
{
    for (const struct section *other = config->sections.first; other != NULL; other = other->next) {
        if (other->kind == section->kind &&
            (section->names[0] == NULL || strcmp(other->names[0], section->names[0]) == 0))
            return other;
    }
    return NULL;
}

static bool needs_restart(enum section_kind kind)
{
    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].section == kind && settings[i].restart)
            return true;
    }
    return false;
}

static void compare_sections(const struct section *current, const struct section *next,
                             const char *path, struct problems *problems)
{
    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].section == next->kind && settings[i].restart &&
            !same_value(&settings[i], current, next))
            problems_error(problems, path, section_line_of(next, settings[i].name),
                           "%s can't be changed by a reload: restart", settings[i].name);
    }
}

/* For two configurations with the same listeners. */
static bool same_order(const struct config *current, const struct config *next)
{
    for (size_t i = 0; i < next->listener_count; i++) {
        if (strcmp(current->listeners[i].name, next->listeners[i].name) != 0)
            return false;
    }
    for (size_t i = 0; i < next->http_door_count; i++) {
        if (strcmp(current->http_doors[i].name, next->http_doors[i].name) != 0)
            return false;
    }
    return true;
}

static void check_restart_settings(const struct config *current, const struct config *next,
                                   struct problems *problems)
{
    for (const struct section *section = next->sections.first; section != NULL;
         section = section->next) {
        const struct section *old;

        if (!needs_restart(section->kind))
            continue;
        old = counterpart(current, section);
        if (old == NULL)
            problems_error(problems, next->path, section->line,
                           "a listener can't be added by a reload: restart");
        else
            compare_sections(old, section, next->path, problems);
    }
    if (current->listener_count + current->http_door_count >
        next->listener_count + next->http_door_count)
        problems_error(problems, next->path, 0, "a listener can't be removed by a reload: restart");
    /* An open socket finds its rules by its place: in another order it would get another's. */
    if (!problems_have_error(problems) && !same_order(current, next))
        problems_error(problems, next->path, 0,
                       "the order of [listen] sections can't be changed by a reload: restart");
}

/* Whether the hosts can be asked about the same domain. */
static bool overlap(const struct host *one, const struct host *other)
{
    return strcmp(one->name, other->name) == 0 || strcmp(one->name, "*") == 0 ||
           strcmp(other->name, "*") == 0;
}

static bool same_shape(const struct host *one, const struct host *other)
{
    return one->format.otp_digits == other->format.otp_digits &&
           one->format.nonce_digits == other->format.nonce_digits;
}

static bool share_secret(const struct host *one, const struct host *other)
{
    for (size_t i = 0; i < one->key_count; i++) {
        for (size_t k = 0; k < other->key_count; k++) {
            if (secret_equal(&one->key_values[i]->token_secret,
                             &other->key_values[k]->token_secret))
                return true;
        }
    }
    return false;
}

static void check_shape(const struct host *old, const struct host *host, const struct config *next,
                        struct problems *problems)
{
    if (old == NULL || !overlap(old, host) || same_shape(old, host) || !share_secret(old, host))
        return;
    problems_error(
        problems, next->path, section_line_of(host->section, "nonce_digits"),
        "otp_digits or nonce_digits changed under an unchanged token_secret: tokens of "
        "the one format would pass for another user's in the other; a new format takes a "
        "new key (xmpp-authctl keygen)");
}

/* The same domain's host, and whatever * covers on either side. */
static void check_formats(const struct config *current, const struct config *next,
                          struct problems *problems)
{
    for (size_t i = 0; i < next->host_count; i++) {
        const struct host *host = &next->hosts[i];
        const struct host *old =
            name_table_find(&current->host_table, host->name, strlen(host->name));

        check_shape(old, host, next, problems);
        if (current->any_host != old)
            check_shape(current->any_host, host, next, problems);
    }
    for (size_t i = 0; i < current->host_count && next->any_host != NULL; i++) {
        if (&current->hosts[i] != current->any_host)
            check_shape(&current->hosts[i], next->any_host, next, problems);
    }
}

bool config_may_replace(const struct config *current, const struct config *next,
                        struct problems *problems)
{
    check_restart_settings(current, next, problems);
    check_formats(current, next, problems);
    return !problems_have_error(problems);
}
