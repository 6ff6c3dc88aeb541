#include "doctor/daemon_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "config/digest.h"

enum { ANSWER_SIZE = 64 * 1024, SECONDS_MAX = 5 };

static int connect_to(const char *path)
{
    const struct timeval limit = {.tv_sec = SECONDS_MAX};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (descriptor >= 0 &&
        (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
         setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
         connect(descriptor, (const struct sockaddr *)&address, sizeof(address)) != 0)) {
        int cause = errno;

        close(descriptor);
        errno = cause;
        return -1;
    }
    return descriptor;
}

/* The answer to `status`, terminated; NULL where there is none. */
static const char *ask(struct findings *findings, const char *path)
{
    static const char request[] = "status\n";
    char *answer = arena_alloc(&findings->arena, ANSWER_SIZE);
    int descriptor = connect_to(path);
    size_t size = 0;
    ssize_t got = -1;

    if (descriptor < 0 || answer == NULL)
        return NULL;
    if (send(descriptor, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0) {
        while (size < ANSWER_SIZE - 1 &&
               (got = recv(descriptor, answer + size, ANSWER_SIZE - 1 - size, 0)) > 0)
            size += (size_t)got;
    }
    if (got < 0 && errno == EAGAIN)
        errno = ETIMEDOUT;
    close(descriptor);
    return got < 0 || size == 0 ? NULL : answer;
}

/* The value of a key in the line that begins with `what=WHAT `, up to the next blank; "" where it
 * is missing. */
static const char *value_of(struct findings *findings, const char *answer, const char *what,
                            const char *key)
{
    const char *start = findings_text(findings, "what=%s ", what);
    const char *wanted = findings_text(findings, " %s=", key);
    const char *line = strstr(answer, start);
    const char *value = line == NULL ? NULL : strstr(line, wanted);

    if (value == NULL || value > line + strcspn(line, "\n"))
        return "";
    value += strlen(wanted);
    return findings_text(findings, "%.*s", (int)strcspn(value, " \n"), value);
}

static void compare(struct findings *findings, const struct config *config, const char *answer)
{
    const struct place place = {.file = config->path};
    const char *version = value_of(findings, answer, "daemon", "version");
    const char *running = value_of(findings, answer, "daemon", "configuration");
    char digest[CONFIG_DIGEST_SIZE];

    if (strcmp(version, XMPP_AUTHD_VERSION) != 0) {
        findings_add(findings, FINDING_DAEMON_DIFFERS, NULL, "systemctl restart xmpp-authd",
                     "the running daemon is of version %s, this program of %s", version,
                     XMPP_AUTHD_VERSION);
        return;
    }
    if (config_digest(config, digest) != 0)
        findings->memory_is_short = true;
    else if (strcmp(running, digest) != 0)
        findings_add(findings, FINDING_DAEMON_DIFFERS, &place,
                     "systemctl reload xmpp-authd, and look at its log",
                     "the running daemon has another configuration than this file, or a secrets "
                     "file that it names, has now");
}

bool daemon_state_examine(struct findings *findings, const struct config *config, bool *starting_r)
{
    const char *answer = ask(findings, config->control_path);

    *starting_r = false;
    if (answer == NULL) {
        findings_add(findings, FINDING_DAEMON_AWAY, NULL, "systemctl restart xmpp-authd",
                     "the daemon can't be asked at %s: %s", config->control_path, strerror(errno));
        return false;
    }
    compare(findings, config, answer);
    *starting_r = strcmp(value_of(findings, answer, "replay", "state"), "starting") == 0;
    return strcmp(value_of(findings, answer, "daemon", "state"), "running") == 0;
}
