#include "doctor/examination.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/arena.h"

bool examination_has_host(const struct examination *examination, const char *domain)
{
    const struct config *config = examination->config;

    for (size_t i = 0; config != NULL && i < config->host_count; i++) {
        if (strcmp(config->hosts[i].name, domain) == 0)
            return true;
    }
    return false;
}

void examination_pass(struct examination *examination, const struct place *place,
                      const char *format, ...)
{
    char text[512];
    va_list values;

    va_start(values, format);
    /* clang-tidy 14 no longer knows va_start() in the second file of one run. */
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    findings_add(examination->findings, FINDING_COULD_NOT_JUDGE, place, "look at it yourself", "%s",
                 text);
}

void examination_check_host(struct examination *examination, const char *domain,
                            const struct place *place)
{
    const struct config *config = examination->config;

    if (config != NULL && config_host(config, domain, strlen(domain)) == NULL)
        findings_add(examination->findings, FINDING_HOST_NOT_SERVED, place,
                     findings_text(examination->findings, "xmpp-authctl keygen %s >>%s", domain,
                                   config->path),
                     "%s asks about %s, and %s has no section for it: every login is refused",
                     examination->server, domain, config->path);
}

void examination_check_asked(struct examination *examination, const struct place *place,
                             bool (*has)(const void *context, const char *domain),
                             const void *context)
{
    const struct config *config = examination->config;

    for (size_t i = 0; config != NULL && i < config->host_count; i++) {
        const char *name = config->hosts[i].name;

        if (strcmp(name, "*") != 0 && !has(context, name))
            findings_add(examination->findings, FINDING_HOST_NOT_ASKED, place,
                         "add the host there, or take its section out of the daemon's file",
                         "[host %s] of %s is no host of %s's: nobody asks about it", name,
                         config->path, examination->server);
    }
}

static const struct listener *find_listener(const struct config *config, const char *path)
{
    for (size_t i = 0; i < config->listener_count; i++) {
        if (strcmp(config->listeners[i].path, path) == 0)
            return &config->listeners[i];
    }
    return NULL;
}

/* Whether a line of a unit switches something on that hides a directory. */
static bool unit_hides(const struct examination *examination, const char *setting)
{
    static const char *const directories[] = {"/etc/systemd/system", "/lib/systemd/system"};
    char path[256], line[512];
    bool hides = false;

    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        FILE *stream;

        snprintf(path, sizeof(path), "%s/%s", directories[i], examination->unit);
        stream = fopen(path, "re");
        if (stream == NULL)
            continue;
        while (fgets(line, sizeof(line), stream) != NULL) {
            if (strncmp(line, setting, strlen(setting)) == 0)
                hides = strncasecmp(line + strlen(setting), "=no", 3) != 0 &&
                        strncasecmp(line + strlen(setting), "=false", 6) != 0;
        }
        fclose(stream);
        break;
    }
    return hides;
}

static void check_hidden(struct examination *examination, const char *path,
                         const struct place *place)
{
    bool temporary = strncmp(path, "/tmp/", 5) == 0 || strncmp(path, "/var/tmp/", 9) == 0;
    bool home = strncmp(path, "/home/", 6) == 0 || strncmp(path, "/root/", 6) == 0;

    if ((temporary && unit_hides(examination, "PrivateTmp")) ||
        (home && unit_hides(examination, "ProtectHome")))
        findings_add(examination->findings, FINDING_SOCKET_PATH, place,
                     "listen = /run/xmpp-authd/auth.sock",
                     "%s is not there for %s: its systemd unit has %s", path, examination->server,
                     temporary ? "PrivateTmp" : "ProtectHome");
}

/* Those whom allow_users and allow_groups leave out. */
static void check_peers(struct examination *examination, const struct listener *listener,
                        const struct place *place)
{
    const struct peer_rule *rule = &listener->peers;
    const struct server_user *user = examination->user;

    if (rule->user_count == 0 && rule->group_count == 0)
        return;
    for (size_t i = 0; i < rule->user_count; i++) {
        if (rule->users[i] == user->uid)
            return;
    }
    for (size_t i = 0; i < rule->group_count; i++) {
        if (server_user_is_in(user, rule->groups[i]))
            return;
    }
    findings_add(examination->findings, FINDING_SOCKET_ACCESS, place,
                 findings_text(examination->findings, "allow_users = %s", user->name),
                 "%s may open %s, and the daemon closes its connections: allow_users and "
                 "allow_groups of %s leave the user %s out",
                 examination->server, listener->path, examination->config->path, user->name);
}

static void advise_group(struct examination *examination, const struct listener *listener,
                         const struct place *place)
{
    const struct server_user *user = examination->user;
    struct stat status;
    gid_t group = listener->group;

    if (stat(listener->path, &status) == 0)
        group = status.st_gid;
    findings_add(examination->findings, FINDING_SOCKET_ACCESS, place,
                 findings_text(examination->findings,
                               "usermod -aG $(getent group %lu | cut -d: -f1) %s, then restart %s",
                               (unsigned long)group, user->name, examination->server),
                 "the user %s can't open %s: it is neither its owner nor in its group (%lu)",
                 user->name, listener->path, (unsigned long)group);
}

/* A process keeps the groups that its user had when it started. */
static void check_running(struct examination *examination, const struct listener *listener,
                          const struct place *place)
{
    const struct server_user *user = examination->user;
    struct stat status;
    pid_t stale;

    if (stat(listener->path, &status) != 0 || status.st_uid == user->uid ||
        (status.st_mode & 0002) != 0 || !server_user_is_in(user, status.st_gid))
        return;
    stale = server_user_stale_process(user, examination->process, status.st_gid);
    if (stale != 0)
        findings_add(examination->findings, FINDING_SERVER_NOT_RESTARTED, place,
                     findings_text(examination->findings, "systemctl restart %.*s",
                                   (int)strcspn(examination->unit, "."), examination->unit),
                     "%s (process %ld) was started before its user joined the group of %s: it "
                     "can't open it until it is restarted",
                     examination->server, (long)stale, listener->path);
}

static void check_access(struct examination *examination, const struct listener *listener,
                         const struct place *place)
{
    const struct server_user *user = examination->user;
    enum access_result result = server_user_access(user, listener->path, 02);

    if (result == ACCESS_MISSING)
        result = (listener->mode & 0002) != 0 || server_user_is_in(user, listener->group)
                     ? ACCESS_MISSING
                     : ACCESS_DENIED;
    if (result == ACCESS_DENIED)
        advise_group(examination, listener, place);
    else if (result == ACCESS_NO_DIRECTORY)
        findings_add(examination->findings, FINDING_SOCKET_ACCESS, place,
                     "chmod o+x each directory above the socket",
                     "the user %s can't reach %s: it may not enter a directory on the way",
                     user->name, listener->path);
    else if (result == ACCESS_GRANTED)
        check_running(examination, listener, place);
    check_peers(examination, listener, place);
}

void examination_check_socket(struct examination *examination, const char *path, bool lines,
                              const struct place *place)
{
    const struct config *config = examination->config;
    const struct listener *listener = config == NULL ? NULL : find_listener(config, path);
    enum protocol_choice spoken = lines ? PROTOCOL_GENERIC : PROTOCOL_EJABBERD;

    check_hidden(examination, path, place);
    if (config == NULL)
        return;
    if (listener == NULL) {
        findings_add(examination->findings, FINDING_SOCKET_PATH, place,
                     findings_text(examination->findings, "%s", config->listeners[0].path),
                     "%s asks at %s, and no listener of %s is there: every login is refused",
                     examination->server, path, config->path);
        return;
    }
    if (listener->protocol != PROTOCOL_AUTO && listener->protocol != spoken)
        findings_add(examination->findings, FINDING_SOCKET_PATH, place, "protocol = auto",
                     "the listener at %s speaks another protocol than %s asks in", path,
                     examination->server);
    if (examination->user != NULL)
        check_access(examination, listener, place);
}

bool examination_check_program(struct examination *examination, const char *path,
                               const struct place *place)
{
    const char *mend = findings_text(examination->findings, "give the whole path of the relay: %s",
                                     examination->relay);
    const struct server_user *user = examination->user;
    enum access_result result = ACCESS_GRANTED;
    struct stat status;

    if (path[0] != '/' || stat(path, &status) != 0 || !S_ISREG(status.st_mode)) {
        findings_add(examination->findings, FINDING_RELAY_PROGRAM, place, mend,
                     "%s is %s: no login is ever asked about", path,
                     path[0] == '/' ? "no program" : "no whole path");
        return false;
    }
    if (user != NULL)
        result = server_user_access(user, path, 01);
    else if ((status.st_mode & 0111) == 0)
        result = ACCESS_DENIED;
    if (result == ACCESS_GRANTED)
        return true;
    findings_add(
        examination->findings, FINDING_RELAY_PROGRAM, place,
        result == ACCESS_DENIED ? findings_text(examination->findings, "chmod 755 %s", path)
                                : "chmod o+x each directory above it",
        "the user %s can't run %s: %s", user == NULL ? examination->server : user->name, path,
        result == ACCESS_DENIED ? "the file is not executable for it"
                                : "it may not enter a directory on the way");
    return false;
}

void examination_add_route(struct examination *examination, const struct route *route,
                           int64_t connections)
{
    struct route *copy = arena_alloc(&examination->findings->arena, sizeof(*copy));
    struct route **end = &examination->routes;

    examination->connections += connections;
    if (copy == NULL)
        return;
    *copy = *route;
    while (*end != NULL)
        end = &(*end)->next;
    *end = copy;
}

void examination_check_connections(struct examination *examination, const struct place *place)
{
    const struct config *config = examination->config;

    if (config != NULL && examination->connections > config->server->max_connections)
        findings_add(examination->findings, FINDING_POOL_SIZE, place,
                     findings_text(examination->findings, "max_connections = %lld",
                                   (long long)examination->connections + 64),
                     "%s holds %lld connections, all hosts together, and the daemon takes %lld "
                     "(max_connections): the others never get an answer",
                     examination->server, (long long)examination->connections,
                     (long long)config->server->max_connections);
}
