#include "doctor/prosody.h"

#include <string.h>

#include "doctor/lua_edit.h"

static const char default_socket[] = "/run/xmpp-authd/auth.sock";

enum { CONNECTIONS_DEFAULT = 4, CONNECTIONS_MAX = 64 };

static const struct node *provider_of(const struct prosody_config *config,
                                      const struct prosody_host *host)
{
    return prosody_config_setting(config, host, "authentication");
}

static bool is_terminal(const struct node *provider)
{
    return node_is(provider, "external") || node_is(provider, "external_insecure");
}

/* A host that people log in to. */
static bool is_open(const struct prosody_config *config, const struct prosody_host *host)
{
    const struct node *enabled = node_find(host->settings, "enabled");

    return host != config->hosts && !host->component && node_truth(enabled, TRUTH_YES) != TRUTH_NO;
}

bool prosody_asks(const struct prosody_config *config)
{
    for (const struct prosody_host *host = config->hosts; host != NULL; host = host->next) {
        const struct node *provider = provider_of(config, host);

        if (is_open(config, host) && (node_is(provider, "xmpp_authd") || is_terminal(provider)))
            return true;
    }
    return false;
}

static bool has_host(const void *context, const char *domain)
{
    const struct prosody_config *config = context;

    for (const struct prosody_host *host = config->hosts; host != NULL; host = host->next) {
        if (is_open(config, host) && strcmp(host->name, domain) == 0)
            return true;
    }
    return false;
}

static const struct place *place_of(const struct node *set, const struct prosody_host *host)
{
    return set == NULL ? &host->place : &set->place;
}

/* A host's own setting in its place, or a new line for this host. */
static void plan(struct examination *examination, const struct prosody_host *host, const char *name,
                 const char *value)
{
    const struct node *own = node_find(host->settings, name);

    if (own != NULL)
        lua_edit_replace(examination->findings, &own->place, name, value);
    else
        lua_edit_add(examination->findings, &host->place, name, value);
}

static void check_encryption(struct examination *examination, const struct prosody_config *config,
                             const struct prosody_host *host)
{
    const struct node *required = prosody_config_setting(config, host, "c2s_require_encryption");
    const struct node *plain = prosody_config_setting(config, host, "allow_unencrypted_plain_auth");
    const struct node *own = prosody_config_setting(config, host, "xmpp_authd_allow_unencrypted");

    if (node_truth(required, TRUTH_YES) == TRUTH_YES ||
        (node_truth(plain, TRUTH_NO) == TRUTH_NO && node_truth(own, TRUTH_NO) == TRUTH_NO))
        return;
    if (node_truth(required, TRUTH_YES) == TRUTH_UNKNOWN) {
        examination_pass(examination, &required->place,
                         "whether %s asks for encryption is not known here", host->name);
        return;
    }
    findings_add(examination->findings, FINDING_ENCRYPTION, &required->place,
                 "c2s_require_encryption = true",
                 "%s offers logins without encryption: whoever reads a token on its way can use it "
                 "first",
                 host->name);
    lua_edit_replace(examination->findings, &required->place, "c2s_require_encryption", "true");
}

static void check_mechanisms(struct examination *examination, const struct prosody_config *config,
                             const struct prosody_host *host)
{
    const struct node *disabled = prosody_config_setting(config, host, "disable_sasl_mechanisms");
    const struct node *offered = prosody_config_setting(config, host, "xmpp_authd_mechanisms");

    if (node_has_unknown(disabled) || node_has_unknown(offered))
        examination_pass(examination, place_of(disabled == NULL ? offered : disabled, host),
                         "which SASL mechanisms %s offers is not known here", host->name);
    if (node_lists(disabled, "PLAIN"))
        findings_add(examination->findings, FINDING_MECHANISMS, &disabled->place,
                     "take \"PLAIN\" out of disable_sasl_mechanisms",
                     "PLAIN is disabled for %s, the mechanism that stock clients send a token with",
                     host->name);
    if (offered != NULL && offered->kind != NODE_UNKNOWN && !node_lists(offered, "PLAIN"))
        findings_add(examination->findings, FINDING_MECHANISMS, &offered->place,
                     "xmpp_authd_mechanisms = { \"PLAIN\", \"SASL-HMAC\", \"X-TOKEN\" }",
                     "%s does not offer PLAIN, the mechanism that stock clients send a token with",
                     host->name);
}

static int64_t check_connections(struct examination *examination,
                                 const struct prosody_config *config,
                                 const struct prosody_host *host)
{
    const struct node *set = prosody_config_setting(config, host, "xmpp_authd_connections");
    int64_t count = CONNECTIONS_DEFAULT;

    if (set == NULL)
        return count;
    if (set->kind == NODE_UNKNOWN) {
        examination_pass(examination, &set->place, "xmpp_authd_connections of %s is not known here",
                         host->name);
    } else if (node_number(set, &count) != 0 || count < 1 || count > CONNECTIONS_MAX) {
        findings_add(
            examination->findings, FINDING_POOL_SIZE, &set->place, "xmpp_authd_connections = 4",
            "xmpp_authd_connections of %s is no number from 1 to 64: 4 is used", host->name);
        lua_edit_replace(examination->findings, &set->place, "xmpp_authd_connections", "4");
        count = CONNECTIONS_DEFAULT;
    } else if (count == 1) {
        findings_add(examination->findings, FINDING_POOL_SIZE, &set->place,
                     "xmpp_authd_connections = 4",
                     "one connection asks for all of %s: a question that waits holds up every "
                     "other",
                     host->name);
        lua_edit_replace(examination->findings, &set->place, "xmpp_authd_connections", "4");
    }
    return count;
}

static void check_socket(struct examination *examination, const struct prosody_config *config,
                         const struct prosody_host *host)
{
    const struct node *set = prosody_config_setting(config, host, "xmpp_authd_socket");
    struct route route = {.host = host->name, .socket = default_socket};

    route.place = *place_of(set, host);
    if (set != NULL && set->kind != NODE_TEXT) {
        examination_pass(examination, &set->place, "xmpp_authd_socket of %s is not known here",
                         host->name);
        return;
    }
    if (set != NULL)
        route.socket = set->text;
    examination_check_socket(examination, route.socket, false, &route.place);
    examination_add_route(examination, &route, check_connections(examination, config, host));
}

static void examine_own(struct examination *examination, const struct prosody_config *config,
                        const struct prosody_host *host)
{
    prosody_examine_modules(examination, config, host);
    check_mechanisms(examination, config, host);
    check_socket(examination, config, host);
}

static void examine_host(struct examination *examination, const struct prosody_config *config,
                         const struct prosody_host *host)
{
    const struct node *provider = provider_of(config, host);

    examination_check_host(examination, host->name, &host->place);
    check_encryption(examination, config, host);
    if (node_is(provider, "xmpp_authd")) {
        examine_own(examination, config, host);
    } else if (is_terminal(provider)) {
        prosody_examine_terminal(examination, config, host, provider);
    } else if (node_has_unknown(provider) || node_is(provider, "cyrus")) {
        examination_pass(examination, &provider->place,
                         "whom Prosody asks about the logins of %s is not known here", host->name);
    } else {
        findings_add(examination->findings, FINDING_AUTH_METHOD, place_of(provider, host),
                     "authentication = \"xmpp_authd\"",
                     "Prosody checks the logins of %s itself: no token is ever asked about",
                     host->name);
        plan(examination, host, "authentication", "\"xmpp_authd\"");
        examine_own(examination, config, host);
    }
}

void prosody_examine(struct examination *examination, const struct prosody_config *config)
{
    const struct place itself = {.file = config->path};
    bool any = false;

    for (const struct prosody_host *host = config->hosts; host != NULL; host = host->next) {
        const struct node *provider = provider_of(config, host);

        if (is_open(config, host) &&
            (node_is(provider, "xmpp_authd") || is_terminal(provider) ||
             node_has_unknown(provider) || examination_has_host(examination, host->name))) {
            any = true;
            examine_host(examination, config, host);
        }
    }
    if (!any)
        findings_add(examination->findings, FINDING_AUTH_METHOD, &itself,
                     "authentication = \"xmpp_authd\"",
                     "no host of Prosody's asks xmpp-authd, and the daemon serves none of them");
    examination_check_asked(examination, &itself, has_host, config);
    examination_check_connections(examination, &itself);
}
