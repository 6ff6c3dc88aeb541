#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor/prosody.h"

/* Where Debian's Prosody has its own modules. */
static const char own_modules[] = "/usr/lib/prosody/modules";

/* Whether Prosody's user can read a file in a directory. */
static bool can_read(const struct examination *examination, const char *directory, const char *file)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", directory, file) >= (int)sizeof(path))
        return false;
    if (examination->user == NULL)
        return access(path, F_OK) == 0;
    return server_user_access(examination->user, path, 04) == ACCESS_GRANTED;
}

enum presence { ABSENT, PARTLY, WHOLE };

static enum presence look_in(const struct examination *examination, const char *directory)
{
    static const char *const modules[] = {"mod_auth_xmpp_authd.lua",
                                          "mod_auth_xmpp_authd/mod_auth_xmpp_authd.lua",
                                          "auth_xmpp_authd/mod_auth_xmpp_authd.lua"};
    static const char *const parts[] = {"auth_xmpp_authd/wire.lib.lua",
                                        "mod_auth_xmpp_authd/wire.lib.lua",
                                        "mod_auth_xmpp_authd/auth_xmpp_authd/wire.lib.lua"};
    bool module = false, part = false;

    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
        module = module || can_read(examination, directory, modules[i]);
        part = part || can_read(examination, directory, parts[i]);
    }
    return module && part ? WHOLE : module ? PARTLY : ABSENT;
}

static void check_files(struct examination *examination, const struct node *paths,
                        const struct prosody_host *host)
{
    enum presence found = look_in(examination, own_modules);
    const struct node single = {.kind = NODE_LIST};
    const struct node *path = paths == NULL ? single.children : paths->children;

    if (paths != NULL && paths->kind == NODE_TEXT)
        path = paths;
    for (; path != NULL && found != WHOLE; path = path->next) {
        enum presence here = path->kind == NODE_TEXT ? look_in(examination, path->text) : ABSENT;

        found = here > found ? here : found;
        if (found != WHOLE && (path->kind != NODE_TEXT || path->text[0] != '/')) {
            examination_pass(examination, &paths->place,
                             "where mod_auth_xmpp_authd.lua may be is not known here");
            return;
        }
        if (path == paths)
            break;
    }
    if (found != WHOLE)
        findings_add(examination->findings, FINDING_MODULE_MISSING,
                     paths == NULL ? &host->place : &paths->place,
                     "cp -R conf/prosody/mod_auth_xmpp_authd.lua conf/prosody/auth_xmpp_authd "
                     "/usr/local/lib/prosody/modules/",
                     "%s is in none of plugin_paths, where Prosody's user can read it: every login "
                     "is refused",
                     found == PARTLY ? "the directory auth_xmpp_authd" : "mod_auth_xmpp_authd.lua");
}

/* Whether a module is enabled for a host, as far as modules_enabled says anything. */
static bool is_enabled(const struct prosody_config *config, const struct prosody_host *host,
                       const char *module)
{
    const struct node *enabled = node_find(config->hosts->settings, "modules_enabled");
    const struct node *disabled = node_find(config->hosts->settings, "modules_disabled");
    const struct node *own = node_find(host->settings, "modules_enabled");
    const struct node *off = node_find(host->settings, "modules_disabled");
    bool on = (enabled == NULL && own == NULL) || node_has_unknown(enabled) ||
              (node_lists(enabled, module) && !node_lists(disabled, module));

    return (on || node_lists(own, module)) && !node_lists(off, module);
}

void prosody_examine_modules(struct examination *examination, const struct prosody_config *config,
                             const struct prosody_host *host)
{
    static const struct {
        const char *name;
        const char *mend;
        const char *without;
    } needed[] = {{"saslauth", "\"saslauth\" in modules_enabled", "no client can log in"},
                  {"tls", "\"tls\" in modules_enabled", "no client can encrypt, as it must"}};
    const struct node *paths = node_find(config->hosts->settings, "plugin_paths");

    check_files(examination, paths, host);
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        const struct node *set = prosody_config_setting(config, host, "modules_enabled");

        if (!is_enabled(config, host, needed[i].name))
            findings_add(examination->findings, FINDING_MODULE_MISSING,
                         set == NULL ? &host->place : &set->place, needed[i].mend,
                         "Prosody's module %s is not enabled for %s: %s", needed[i].name,
                         host->name, needed[i].without);
    }
}
