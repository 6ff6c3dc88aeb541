#include "daemon/activation.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "daemon/log.h"

/* The first descriptor that a service manager hands over. */
enum { FIRST_DESCRIPTOR = 3, DESCRIPTORS_MAX = 1 << 16 };

/* A number of the environment; 0 where it is missing or none. */
static int64_t environment_number(const char *name)
{
    const char *text = getenv(name);
    int64_t number;

    return text != NULL && number_parse(text, strlen(text), &number) == 0 ? number : 0;
}

/* Cuts the next of the names, which colons separate, off; one without a name has an empty one. */
static const char *next_name(char **names)
{
    const char *name = *names == NULL ? NULL : strsep(names, ":");

    return name == NULL ? "" : name;
}

void activation_receive(struct activation *activation)
{
    int64_t count = environment_number("LISTEN_FDS");
    char *names = getenv("LISTEN_FDNAMES");

    if (environment_number("LISTEN_PID") != getpid() || count > DESCRIPTORS_MAX)
        return;
    for (int descriptor = FIRST_DESCRIPTOR; descriptor < FIRST_DESCRIPTOR + count; descriptor++) {
        const char *name = next_name(&names);

        if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) != 0)
            continue;
        if (activation->count < ACTIVATED_MAX)
            activation->sockets[activation->count++] = (struct activated){descriptor, name};
        else
            close(descriptor);
    }
}

int activation_take(struct activation *activation, const char *name)
{
    for (size_t i = 0; i < activation->count; i++) {
        struct activated *socket = &activation->sockets[i];
        int descriptor = socket->descriptor;

        if (descriptor < 0 || strcmp(socket->name, name) != 0)
            continue;
        socket->descriptor = -1;
        return descriptor;
    }
    return -1;
}

void activation_close_unasked(struct activation *activation)
{
    for (size_t i = 0; i < activation->count; i++) {
        struct log_line line;

        if (activation->sockets[i].descriptor < 0)
            continue;
        log_begin(&line, LOG_LEVEL_WARNING, "socket-unasked");
        logfmt_text(&line.fields, "name", activation->sockets[i].name);
        logfmt_text(&line.fields, "why",
                    "no listener has this name, or has a socket already: it is closed; "
                    "FileDescriptorName= in the socket unit is to be a listener's name");
        log_end(&line, LOG_LEVEL_WARNING);
    }
    activation_clear(activation);
}

void activation_clear(struct activation *activation)
{
    for (size_t i = 0; i < activation->count; i++) {
        if (activation->sockets[i].descriptor >= 0)
            close(activation->sockets[i].descriptor);
    }
    activation->count = 0;
}
