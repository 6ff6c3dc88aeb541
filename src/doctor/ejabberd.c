#include "doctor/ejabberd.h"

#include <string.h>
#include <unistd.h>

#include "doctor/shell_words.h"

/* What xmpp-extauth takes without an argument. */
static const char default_socket[] = "/run/xmpp-authd/auth.sock";

static const struct node *method_of(const struct ejabberd_config *config, const char *host)
{
    return ejabberd_config_setting(config, host, "auth_method");
}

/* The hosts that are written down as such. */
static const struct node *first_host(const struct ejabberd_config *config)
{
    return config->hosts == NULL ? NULL : config->hosts->children;
}

bool ejabberd_asks(const struct ejabberd_config *config)
{
    for (const struct node *host = first_host(config); host != NULL; host = host->next) {
        if (node_lists(method_of(config, host->text), "external"))
            return true;
    }
    return false;
}

static bool has_host(const void *context, const char *domain)
{
    const struct ejabberd_config *config = context;

    return node_lists(config->hosts, domain);
}

/* Whether a host asks, or is meant to: the daemon's file has a section for it. */
static bool is_meant(const struct examination *examination, const struct ejabberd_config *config,
                     const struct node *host)
{
    return host->kind == NODE_TEXT && (node_lists(method_of(config, host->text), "external") ||
                                       examination_has_host(examination, host->text));
}

static bool all_are_meant(const struct examination *examination,
                          const struct ejabberd_config *config)
{
    for (const struct node *host = first_host(config); host != NULL; host = host->next) {
        if (!is_meant(examination, config, host))
            return false;
    }
    return true;
}

/* Sets what a host lacks: in its own place, or for all hosts where all are meant to have it. */
static void plan(struct examination *examination, const struct ejabberd_config *config,
                 const struct node *set, const char *name, const char *value)
{
    if (set != NULL && set != ejabberd_config_global(config, name))
        findings_replace(examination->findings, &set->place, value);
    else if (all_are_meant(examination, config))
        ejabberd_config_plan(config, examination->findings, name, value);
}

static void check_method(struct examination *examination, const struct ejabberd_config *config,
                         const struct node *host)
{
    const struct node *method = method_of(config, host->text);

    if (node_has_unknown(method)) {
        examination_pass(examination, &method->place, "auth_method of %s is not known here",
                         host->text);
    } else if (!node_lists(method, "external")) {
        findings_add(examination->findings, FINDING_AUTH_METHOD,
                     method == NULL ? &host->place : &method->place, "auth_method: external",
                     "ejabberd checks the logins of %s itself: no token is ever asked about",
                     host->text);
        plan(examination, config, method, "auth_method", "external");
    } else if (method->count > 1 && !(method->count == 2 && node_lists(method, "anonymous"))) {
        findings_add(examination->findings, FINDING_OTHER_METHODS, &method->place,
                     "auth_method: external",
                     "%s asks other methods besides external: whoever has a password there logs "
                     "in without a token",
                     host->text);
        plan(examination, config, method, "auth_method", "external");
    }
}

static void check_cache(struct examination *examination, const struct ejabberd_config *config,
                        const struct node *host)
{
    const struct node *cache = ejabberd_config_setting(config, host->text, "auth_use_cache");
    const struct node *any = ejabberd_config_setting(config, host->text, "use_cache");
    enum node_truth truth = node_truth(cache, node_truth(any, TRUTH_YES));

    if (truth == TRUTH_UNKNOWN) {
        examination_pass(examination, cache == NULL ? &any->place : &cache->place,
                         "whether the cache of logins is on for %s is not known here", host->text);
    } else if (truth == TRUTH_YES) {
        findings_add(examination->findings, FINDING_AUTH_CACHE,
                     cache == NULL ? NULL : &cache->place, "auth_use_cache: false",
                     "ejabberd's cache of logins is on for %s%s: it lets a spent token in again "
                     "for an hour, and refuses the user's next one meanwhile",
                     host->text, cache == NULL ? ", as it is unless it is turned off" : "");
        plan(examination, config, cache, "auth_use_cache", "false");
    }
}

/* Appends to a list of words, however it is written. */
static void plan_word(struct examination *examination, const struct node *list, const char *word)
{
    struct findings *findings = examination->findings;
    struct place end = list->place;

    if (list->kind == NODE_TEXT) {
        findings_replace(findings, &end, findings_text(findings, "[%s, %s]", list->text, word));
    } else if (list->flow) {
        end.line = end.end_line;
        end.column = --end.end_column;
        findings_replace(findings, &end,
                         findings_text(findings, "%s%s", list->count == 0 ? "" : ", ", word));
    } else {
        findings_insert(findings, list->place.file, ejabberd_config_last_line(list),
                        findings_text(findings, "%*s- %s\n", list->place.column, "", word));
    }
}

static void check_mechanisms(struct examination *examination, const struct ejabberd_config *config,
                             const struct node *host)
{
    const struct node *list =
        ejabberd_config_setting(config, host->text, "disable_sasl_mechanisms");

    if (node_has_unknown(list)) {
        examination_pass(examination, &list->place,
                         "which SASL mechanisms %s offers is not known here", host->text);
        return;
    }
    if (node_lists(list, "PLAIN"))
        findings_add(examination->findings, FINDING_MECHANISMS, &list->place,
                     "disable_sasl_mechanisms: [X-OAUTH2]",
                     "PLAIN is disabled, the one mechanism that a token can be sent with");
    if (node_lists(list, "X-OAUTH2"))
        return;
    findings_add(examination->findings, FINDING_MECHANISMS, list == NULL ? NULL : &list->place,
                 "disable_sasl_mechanisms: [X-OAUTH2]",
                 "%s offers X-OAUTH2 besides PLAIN: a client that takes it never sends its token",
                 host->text);
    if (list == NULL)
        plan(examination, config, NULL, "disable_sasl_mechanisms", "[X-OAUTH2]");
    else
        plan_word(examination, list, "X-OAUTH2");
}

/* How many relays a host has; -1: not known. */
static int64_t check_pool(struct examination *examination, const struct ejabberd_config *config,
                          const struct node *host)
{
    const struct node *size = ejabberd_config_setting(config, host->text, "extauth_pool_size");
    int64_t count = sysconf(_SC_NPROCESSORS_ONLN);

    if (size != NULL && node_number(size, &count) != 0) {
        examination_pass(examination, &size->place, "extauth_pool_size of %s is not known here",
                         host->text);
        return -1;
    }
    if (count == 1) {
        findings_add(examination->findings, FINDING_POOL_SIZE, size == NULL ? NULL : &size->place,
                     "extauth_pool_size: 4",
                     "one relay answers for all of %s%s: a question that waits holds up every "
                     "other",
                     host->text, size == NULL ? ", for this machine has one processor" : "");
        plan(examination, config, size, "extauth_pool_size", "4");
    }
    return count;
}

static bool is_relay(const char *path)
{
    const char *slash = strrchr(path, '/');

    return strcmp(slash == NULL ? path : slash + 1, "xmpp-extauth") == 0;
}

static void check_relay(struct examination *examination, const struct node *program,
                        const struct node *host, int64_t connections)
{
    const struct route route = {
        .host = host->text, .command = program->text, .place = program->place};
    const char *socket = default_socket;
    struct shell_words words = {.count = 0};

    if (shell_words_split(&words, program->text) != 0 || words.count == 0) {
        examination_pass(examination, &program->place,
                         "only a shell can tell which program extauth_program of %s is",
                         host->text);
        return;
    }
    if (!examination_check_program(examination, words.words[0], &program->place))
        return;
    if (words.count > 1)
        socket = words.words[1];
    if (is_relay(words.words[0]))
        examination_check_socket(examination, socket, false, &program->place);
    else
        examination_pass(examination, &program->place,
                         "%s is not xmpp-extauth: whom it asks is not known here", words.words[0]);
    examination_add_route(examination, &route, connections < 0 ? 0 : connections);
}

static void check_program(struct examination *examination, const struct ejabberd_config *config,
                          const struct node *host)
{
    const struct node *program = ejabberd_config_setting(config, host->text, "extauth_program");
    int64_t connections = check_pool(examination, config, host);
    const char *value = findings_text(
        examination->findings, "\"%s %s\"", examination->relay,
        examination->config == NULL ? default_socket : examination->config->listeners[0].path);

    if (program != NULL && program->kind == NODE_TEXT) {
        check_relay(examination, program, host, connections);
    } else if (program != NULL) {
        examination_pass(examination, &program->place, "extauth_program of %s is not known here",
                         host->text);
    } else {
        findings_add(examination->findings, FINDING_RELAY_PROGRAM, &host->place,
                     findings_text(examination->findings, "extauth_program: %s", value),
                     "%s has no extauth_program: there is nobody to ask", host->text);
        plan(examination, config, NULL, "extauth_program", value);
    }
}

/* Settings that are joined to others by rules of their own. */
static void look_at_appended(struct examination *examination, const struct ejabberd_config *config)
{
    static const char *const names[] = {
        "auth_method",     "auth_use_cache",    "disable_sasl_mechanisms",
        "extauth_program", "extauth_pool_size", "use_cache"};

    for (const struct node *map = config->settings->children; map != NULL; map = map->next) {
        if (!node_is(map->key, "append_host_config"))
            continue;
        for (const struct node *host = map->children; host != NULL; host = host->next) {
            for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const struct node *set = node_find(host, names[i]);

                if (set != NULL)
                    examination_pass(examination, &set->place,
                                     "%s in append_host_config is not judged: put it under "
                                     "host_config",
                                     names[i]);
            }
        }
    }
}

static void examine_host(struct examination *examination, const struct ejabberd_config *config,
                         const struct node *host)
{
    check_method(examination, config, host);
    examination_check_host(examination, host->text, &host->place);
    check_cache(examination, config, host);
    check_mechanisms(examination, config, host);
    check_program(examination, config, host);
}

void ejabberd_examine(struct examination *examination, const struct ejabberd_config *config)
{
    const struct place itself = {.file = config->path};
    bool any = false;

    if (config->hosts == NULL || config->hosts->kind != NODE_LIST) {
        examination_pass(examination, &itself, "the hosts of ejabberd are not known here");
        return;
    }
    for (const struct node *host = first_host(config); host != NULL; host = host->next) {
        if (host->kind != NODE_TEXT)
            examination_pass(examination, &host->place, "a host's name is not known here");
        if (is_meant(examination, config, host)) {
            any = true;
            examine_host(examination, config, host);
        }
    }
    if (!any)
        findings_add(examination->findings, FINDING_AUTH_METHOD, &itself, "auth_method: external",
                     "no host of ejabberd's asks an external program, and the daemon serves none "
                     "of them");
    look_at_appended(examination, config);
    examination_check_asked(examination, &config->hosts->place, has_host, config);
    examination_check_connections(examination, &config->hosts->place);
    if (any)
        ejabberd_examine_listeners(examination, config);
}
