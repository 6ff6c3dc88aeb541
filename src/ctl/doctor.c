/* doctor: what is wrong with the daemon's and the chat server's configuration, and what mends it.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/logfmt.h"
#include "ctl/command.h"
#include "ctl/key_source.h"
#include "ctl/report.h"
#include "doctor/clock.h"
#include "doctor/ejabberd.h"
#include "doctor/patch.h"

#define EJABBERD_DEFAULT_PATH "/etc/ejabberd/ejabberd.yml"

static const char *const severity_words[] = {
    [FINDING_ERROR] = "error", [FINDING_WARNING] = "warning", [FINDING_UNJUDGED] = "unjudged"};

struct visit {
    const struct arguments *arguments;
    struct findings findings;
    struct config *config;
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

static void examine_ejabberd(struct visit *visit, const char *path)
{
    struct examination examination = {.findings = &visit->findings,
                                      .config = visit->config,
                                      .server = "ejabberd",
                                      .process = "beam",
                                      .unit = "ejabberd.service",
                                      .relay = find_relay(visit)};
    const char *name = visit->arguments->values[OPTION_USER];
    struct ejabberd_config config;
    struct server_user user;

    if (server_user_find(&user, name == NULL ? "ejabberd" : name) == 0)
        examination.user = &user;
    else
        examination_pass(&examination, NULL,
                         "there is no user %s here: what ejabberd may do was not looked at (--user "
                         "NAME names another)",
                         name == NULL ? "ejabberd" : name);
    if (ejabberd_config_read(&config, &visit->findings, path) == 0)
        ejabberd_examine(&examination, &config);
}

/* Whether a word stands in a list with commas. */
static bool is_listed(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; at != NULL;
         at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

static bool is_ignored(const struct visit *visit, const struct finding *finding)
{
    return is_listed(visit->arguments->values[OPTION_IGNORE], finding_types[finding->id].word);
}

/* Nothing from a file may move the terminal's cursor. */
static void print_harmless(FILE *stream, const char *text)
{
    for (; *text != '\0'; text++)
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, stream);
}

static void print_finding(const struct finding *finding, FILE *stream)
{
    const struct finding_type *type = &finding_types[finding->id];

    fprintf(stream, "%s %s", severity_words[type->severity], type->word);
    if (finding->file != NULL) {
        fputc(' ', stream);
        print_harmless(stream, finding->file);
    }
    if (finding->file != NULL && finding->line > 0)
        fprintf(stream, ":%d", finding->line);
    fputs("\n    ", stream);
    print_harmless(stream, finding->text);
    fputs("\n    mend: ", stream);
    print_harmless(stream, finding->mend);
    fputc('\n', stream);
}

static void print_logfmt(const struct finding *finding, FILE *stream)
{
    const struct finding_type *type = &finding_types[finding->id];
    struct logfmt line = {.length = 0};

    logfmt_text(&line, "finding", type->word);
    logfmt_text(&line, "severity", severity_words[type->severity]);
    logfmt_text(&line, "file", finding->file);
    if (finding->line > 0)
        logfmt_number(&line, "line", finding->line);
    logfmt_text(&line, "what", finding->text);
    logfmt_text(&line, "mend", finding->mend);
    fwrite(line.text, 1, line.length, stream);
    fputc('\n', stream);
}

/* Prints all that counts; what it comes to. */
static enum ctl_status print_findings(const struct visit *visit, FILE *stream)
{
    enum ctl_status status = CTL_YES;

    for (const struct finding *finding = visit->findings.first; finding != NULL;
         finding = finding->next) {
        if (is_ignored(visit, finding))
            continue;
        if (finding_types[finding->id].severity != FINDING_UNJUDGED)
            status = CTL_NO;
        else if (status == CTL_YES)
            status = CTL_UNJUDGED;
        if (visit->arguments->values[OPTION_LOGFMT] != NULL)
            print_logfmt(finding, stream);
        else
            print_finding(finding, stream);
    }
    return status;
}

static enum ctl_status conclude(struct visit *visit)
{
    bool fix = visit->arguments->values[OPTION_FIX] != NULL;
    enum ctl_status status = print_findings(visit, fix ? stderr : stdout);

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

/* Only known words: a misspelt one would hide nothing, and nobody would know. */
static int check_ignored(const char *list)
{
    for (const char *at = list; at != NULL;
         at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
        size_t length = strcspn(at, ",");
        size_t id = 0;

        while (id < FINDING_ID_COUNT && (strlen(finding_types[id].word) != length ||
                                         strncmp(at, finding_types[id].word, length) != 0))
            id++;
        if (id == FINDING_ID_COUNT) {
            ctl_complain("--ignore takes names of findings with commas between them; "
                         "docs/doctor.md lists them");
            return -1;
        }
    }
    return 0;
}

static void examine_servers(struct visit *visit)
{
    const char *ejabberd = visit->arguments->values[OPTION_EJABBERD];

    if (ejabberd == NULL && access(EJABBERD_DEFAULT_PATH, F_OK) == 0)
        ejabberd = EJABBERD_DEFAULT_PATH;
    if (ejabberd != NULL)
        examine_ejabberd(visit, ejabberd);
}

static enum ctl_status run_doctor(struct arguments *arguments)
{
    struct visit visit = {.arguments = arguments};
    enum ctl_status status;

    if (check_ignored(arguments->values[OPTION_IGNORE]) != 0)
        return CTL_ERROR;
    load_config(&visit);
    clock_examine(&visit.findings);
    examine_servers(&visit);
    status = conclude(&visit);
    config_destroy(&visit.config);
    findings_clear(&visit.findings);
    return status;
}

const struct command command_doctor = {
    .word = "doctor",
    .operands = "",
    .operands_min = 0,
    .operands_max = 0,
    .options = OPTION_BIT(OPTION_EJABBERD) | OPTION_BIT(OPTION_USER) | OPTION_BIT(OPTION_FIX) |
               OPTION_BIT(OPTION_LOGFMT) | OPTION_BIT(OPTION_IGNORE) | OPTION_BIT(OPTION_OFFLINE),
    .meaning =
        "say what is wrong with the daemon's and the chat server's set-up, and what mends it",
    .explanation =
        "Reads the daemon's configuration and the chat server's, and prints each finding with its\n"
        "place and the line that mends it. Exit status: 0 nothing is wrong, 1 something is, 2 it\n"
        "could not be examined, 3 nothing is wrong as far as could be judged.\n",
    .run = run_doctor,
};
