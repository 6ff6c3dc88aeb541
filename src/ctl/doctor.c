/* doctor: what is wrong with the daemon's and the chat server's configuration, and what mends it.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/finding_report.h"
#include "ctl/key_source.h"
#include "ctl/report.h"
#include "ctl/round_trips.h"
#include "doctor/clock.h"
#include "doctor/daemon_state.h"
#include "doctor/ejabberd.h"
#include "doctor/patch.h"
#include "doctor/prosody.h"

#define EJABBERD_DEFAULT_PATH "/etc/ejabberd/ejabberd.yml"
#define PROSODY_DEFAULT_PATH  "/etc/prosody/prosody.cfg.lua"

struct visit {
    const struct arguments *arguments;
    struct findings findings;
    struct config *config;
    struct ejabberd_config ejabberd;
    struct prosody_config prosody;
    bool has_ejabberd;
    bool has_prosody;
    bool can_ask; /* the running daemon, which has this configuration */
};

/* Every problem of the daemon's own file is a finding. */
static void load_config(struct visit *visit)
{
    const char *path = visit->arguments->values[OPTION_CONFIG];
    struct problems *problems = problems_create();

    if (problems == NULL) {
        visit->findings.memory_is_short = true;
        return;
    }
    visit->config = config_load(path == NULL ? CONFIG_DEFAULT_PATH : path, problems);
    for (size_t i = 0; i < problems_count(problems); i++)
        findings_add(&visit->findings, FINDING_DAEMON_CONFIGURATION, NULL, "xmpp-authd.conf(5)",
                     "%s", problems_at(problems, i)->text);
    problems_destroy(&problems);
}

/* The relay that was installed beside this program, or would be. */
static const char *find_relay(struct visit *visit)
{
    static const char usual[] = "/usr/local/bin/xmpp-extauth";
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    const char *relay;
    char *slash;

    path[length < 0 ? 0 : length] = '\0';
    slash = strrchr(path, '/');
    if (slash == NULL)
        return usual;
    *slash = '\0';
    relay = findings_text(&visit->findings, "%s/xmpp-extauth", path);
    return access(relay, X_OK) == 0 ? relay : usual;
}

/* What a server's user may do is only known where there is one. */
static void find_user(struct visit *visit, struct examination *examination,
                      struct server_user *user, const char *usual)
{
    const char *name = visit->arguments->values[OPTION_USER];

    if (name == NULL)
        name = usual;
    if (server_user_find(user, name) == 0)
        examination->user = user;
    else
        examination_pass(examination, NULL,
                         "there is no user %s here: what %s may do was not looked at (--user NAME "
                         "names another)",
                         name, examination->server);
}

static void ask_daemon(struct visit *visit)
{
    bool starting = false;

    if (visit->config == NULL || visit->arguments->values[OPTION_OFFLINE] != NULL)
        return;
    visit->can_ask = daemon_state_examine(&visit->findings, visit->config, &starting) && !starting;
    if (starting)
        findings_add(
            &visit->findings, FINDING_COULD_NOT_JUDGE, NULL, "examine again in a minute or two",
            "no login was tried: the daemon has just started, and refuses fresh tokens for "
            "now");
}

/* What would run with the rights of root in the server's place is not run. */
static void try_logins(const struct visit *visit, const struct examination *examination)
{
    if (visit->can_ask && (examination->user != NULL || geteuid() != 0))
        round_trips_make(examination);
}

static void examine_ejabberd(struct visit *visit)
{
    struct examination examination = {.findings = &visit->findings,
                                      .config = visit->config,
                                      .server = "ejabberd",
                                      .process = "beam",
                                      .unit = "ejabberd.service",
                                      .relay = find_relay(visit)};
    struct server_user user;

    find_user(visit, &examination, &user, "ejabberd");
    ejabberd_examine(&examination, &visit->ejabberd);
    try_logins(visit, &examination);
}

static void examine_prosody(struct visit *visit)
{
    const struct node *name = node_find(visit->prosody.hosts->settings, "prosody_user");
    struct examination examination = {.findings = &visit->findings,
                                      .config = visit->config,
                                      .server = "Prosody",
                                      .process = "lua",
                                      .unit = "prosody.service",
                                      .relay = find_relay(visit)};
    struct server_user user;

    find_user(visit, &examination, &user,
              name != NULL && name->kind == NODE_TEXT ? name->text : "prosody");
    prosody_examine(&examination, &visit->prosody);
    try_logins(visit, &examination);
}

static enum ctl_status conclude(struct visit *visit)
{
    bool fix = visit->arguments->values[OPTION_FIX] != NULL;
    enum ctl_status status =
        finding_report_write(&visit->findings, visit->arguments, fix ? stderr : stdout);

    if (fix && patch_write(&visit->findings, stdout) != 0) {
        ctl_complain("no patch could be made: a file changed meanwhile, or memory is short");
        return CTL_ERROR;
    }
    if (visit->findings.memory_is_short) {
        ctl_complain("memory is short");
        return CTL_ERROR;
    }
    return status;
}

static const char *path_of(const struct arguments *arguments, enum option option, const char *usual)
{
    const char *path = arguments->values[option];
    bool named =
        arguments->values[OPTION_EJABBERD] != NULL || arguments->values[OPTION_PROSODY] != NULL;

    return path == NULL && !named && access(usual, F_OK) == 0 ? usual : path;
}

/* Before the daemon's secrets are in memory, for a process that runs Prosody's file copies it. Of
 * two servers that nobody named, the one that does not ask is left alone. */
static int read_servers(struct visit *visit)
{
    const char *ejabberd = path_of(visit->arguments, OPTION_EJABBERD, EJABBERD_DEFAULT_PATH);
    const char *prosody = path_of(visit->arguments, OPTION_PROSODY, PROSODY_DEFAULT_PATH);

    if (ejabberd == NULL && prosody == NULL) {
        ctl_complain("no chat server's configuration is found: name it with --ejabberd FILE or "
                     "--prosody FILE");
        return -1;
    }
    if (prosody != NULL)
        visit->has_prosody = prosody_config_read(&visit->prosody, &visit->findings, prosody) == 0;
    if (ejabberd != NULL)
        visit->has_ejabberd =
            ejabberd_config_read(&visit->ejabberd, &visit->findings, ejabberd) == 0;
    if (ejabberd == visit->arguments->values[OPTION_EJABBERD] || !visit->has_ejabberd ||
        !visit->has_prosody)
        return 0;
    if (ejabberd_asks(&visit->ejabberd) && !prosody_asks(&visit->prosody))
        visit->has_prosody = false;
    else if (!ejabberd_asks(&visit->ejabberd) && prosody_asks(&visit->prosody))
        visit->has_ejabberd = false;
    return 0;
}

static enum ctl_status run_doctor(struct arguments *arguments)
{
    struct visit visit = {.arguments = arguments};
    enum ctl_status status = CTL_ERROR;

    if (finding_report_check(arguments) == 0 && read_servers(&visit) == 0) {
        load_config(&visit);
        clock_examine(&visit.findings);
        ask_daemon(&visit);
        if (visit.has_ejabberd)
            examine_ejabberd(&visit);
        if (visit.has_prosody)
            examine_prosody(&visit);
        status = conclude(&visit);
    }
    config_destroy(&visit.config);
    findings_clear(&visit.findings);
    return status;
}

const struct command command_doctor = {
    .word = "doctor",
    .operands = "",
    .operands_min = 0,
    .operands_max = 0,
    .options = OPTION_BIT(OPTION_EJABBERD) | OPTION_BIT(OPTION_PROSODY) | OPTION_BIT(OPTION_USER) |
               OPTION_BIT(OPTION_FIX) | OPTION_BIT(OPTION_LOGFMT) | OPTION_BIT(OPTION_IGNORE) |
               OPTION_BIT(OPTION_OFFLINE),
    .meaning =
        "say what is wrong with the daemon's and the chat server's set-up, and what mends it",
    .explanation =
        "Reads the daemon's configuration and the chat server's, and prints each finding with its\n"
        "place and the line that mends it; then tries logins of a user of its own. Exit status: 0 "
        "nothing is wrong, 1 something is, 2 it\n"
        "could not be examined, 3 nothing is wrong as far as could be judged.\n",
    .run = run_doctor,
};
