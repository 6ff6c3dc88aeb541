#include "config/key_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"

int64_t host_token_life(const struct host *host)
{
    const struct token_format *format = &host->format;
    int64_t lead = (int64_t)format->window * format->interval;
    int64_t life = 0;

    if (!format->refuses_v1)
        life = 2 * lead + format->interval;
    if (format->accepts_v2 && lead + format->max_lifetime > life)
        life = lead + format->max_lifetime;
    return life;
}

static bool is_kind(const char *word)
{
    return strcmp(word, "v1") == 0 || strcmp(word, "v2") == 0 || strcmp(word, "jsxc") == 0;
}

static void check_kinds(const struct config *config, const struct host *host,
                        struct problems *problems)
{
    const struct host_values *values = host->section->values;
    int line = section_line_of(host->section, "accept");

    if (values->accept.count == 0)
        problems_error(problems, config->path, line,
                       "accept names no kind of tokens: v1, v2, jsxc, or several of them");
    for (size_t i = 0; i < values->accept.count; i++) {
        if (!is_kind(values->accept.names[i]))
            problems_error(problems, config->path, line, "accept takes v1, v2 and jsxc");
    }
    if (host->format.accepts_jsxc && !section_sets(host->section, "jsxc_secret"))
        problems_error(problems, config->path, line,
                       "JSXC's tokens take a secret of their own: set jsxc_secret");
}

/* Each secret signs one kind of thing. */
static void check_jsxc_secret(const struct config *config, const struct host *host,
                              struct problems *problems)
{
    const struct secret *secret = &((const struct host_values *)host->section->values)->jsxc_secret;

    for (size_t i = 0; i < host->key_count && secret->bytes != NULL; i++) {
        if (secret_equal(secret, &host->key_values[i]->token_secret))
            problems_error(problems, config->path, section_line_of(host->section, "jsxc_secret"),
                           "this is the token_secret of line %d: JSXC's tokens take a secret of "
                           "their own",
                           host->key_lines[i]);
    }
}

static bool is_from_file(const struct host *host, size_t key)
{
    return host->key_names[key][0] == '\0' &&
           ((const struct host_values *)host->section->values)->secrets_file != NULL;
}

static bool is_same_key(const struct host *host, size_t one, size_t other)
{
    return strcmp(host->key_fingerprints[one].text, host->key_fingerprints[other].text) == 0;
}

static void check_pair(const struct config *config, const struct host *host, size_t earlier,
                       size_t later, struct problems *problems)
{
    int line = host->key_lines[later];
    int earlier_line = host->key_lines[earlier];

    if (is_same_key(host, earlier, later) && is_from_file(host, earlier))
        problems_warning(problems, config->path, line,
                         "the secrets_file of line %d holds this key too: this section can go",
                         earlier_line);
    else if (is_same_key(host, earlier, later))
        problems_error(problems, config->path, line,
                       "this key is there already, in line %d: another key takes other secrets "
                       "(xmpp-authctl keygen)",
                       earlier_line);
    else if (secret_equal(&host->key_values[earlier]->token_secret,
                          &host->key_values[later]->token_secret))
        problems_warning(problems, config->path, line,
                         "this key has the token_secret of the one in line %d: who knows one of "
                         "the two keys knows half of the other",
                         earlier_line);
}

static void check_pairs(const struct config *config, const struct host *host,
                        struct problems *problems)
{
    for (size_t later = 1; later < host->key_count; later++) {
        for (size_t earlier = 0; earlier < later; earlier++)
            check_pair(config, host, earlier, later, problems);
    }
}

static int by_beginning(const void *one, const void *other)
{
    const struct token_key_dates *a = one;
    const struct token_key_dates *b = other;

    return (a->accept_from > b->accept_from) - (a->accept_from < b->accept_from);
}

/* What lies between the time up to which keys count and the beginning of the next one's. */
static void check_change(const struct config *config, const struct host *host, int64_t until,
                         int64_t from, struct problems *problems)
{
    char first[TIMESTAMP_SIZE], second[TIMESTAMP_SIZE];

    if (from > until)
        problems_warning(problems, config->path, host->section->line,
                         "no key of %s counts from %s to %s: nobody could log in", host->name,
                         timestamp_format(until, first), timestamp_format(from, second));
    else if (from > until - host_token_life(host))
        problems_warning(problems, config->path, host->section->line,
                         "the keys of %s change at %s with less than %lld s in which both count: "
                         "tokens made before would be denied after; let accept_from of the next "
                         "be earlier, or accept_until later",
                         host->name, timestamp_format(until, first),
                         (long long)host_token_life(host));
}

/* Goes along the keys in the order of their beginnings; those that were over by now are history. */
static void check_dates(const struct config *config, const struct host *host,
                        struct token_key_dates *ordered, int64_t now, struct problems *problems)
{
    int64_t until = INT64_MIN;
    char text[TIMESTAMP_SIZE];

    for (size_t i = 0; i < host->key_count; i++)
        ordered[i] = (struct token_key_dates){host->key_values[i]->accept_from,
                                              host->key_values[i]->accept_until};
    qsort(ordered, host->key_count, sizeof(*ordered), by_beginning);
    for (size_t i = 0; i < host->key_count; i++) {
        if (until >= now && ordered[i].accept_until > until)
            check_change(config, host, until, ordered[i].accept_from, problems);
        else if (until < now && ordered[i].accept_from > now)
            problems_warning(problems, config->path, host->section->line,
                             "no key of %s counts before %s: until then nobody can log in",
                             host->name, timestamp_format(ordered[i].accept_from, text));
        if (ordered[i].accept_until > until)
            until = ordered[i].accept_until;
    }
    if (host->key_count > 0 && until <= now)
        problems_warning(problems, config->path, host->section->line,
                         "no key of %s counts since %s: nobody can log in; xmpp-authctl rotate %s "
                         "makes the next one",
                         host->name, timestamp_format(until, text), host->name);
}

void key_rules_check(const struct config *config, int64_t now, struct problems *problems)
{
    for (size_t i = 0; i < config->host_count; i++) {
        const struct host *host = &config->hosts[i];
        struct token_key_dates *ordered = calloc(host->key_count + 1, sizeof(*ordered));

        check_kinds(config, host, problems);
        check_jsxc_secret(config, host, problems);
        check_pairs(config, host, problems);
        if (ordered == NULL)
            problems_error(problems, config->path, 0, "memory is short");
        else
            check_dates(config, host, ordered, now, problems);
        free(ordered);
    }
}
