#include "daemon/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "daemon/log.h"

/* Once, until it works again: the daemon runs without being heard. */
static void complain(struct notify *notify, const char *why)
{
    if (!notify->complained)
        log_event_text(LOG_LEVEL_WARNING, "notify-failed", "why", why);
    notify->complained = true;
}

/* A path, or @ and a name without a file. */
static bool set_address(struct notify *notify, const char *name)
{
    size_t length = strlen(name);

    notify->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if ((name[0] != '/' && name[0] != '@') || length < 2 ||
        length >= sizeof(notify->address.sun_path))
        return false;
    memcpy(notify->address.sun_path, name, length);
    if (name[0] == '@')
        notify->address.sun_path[0] = '\0';
    notify->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

void notify_open(struct notify *notify)
{
    const char *name = getenv("NOTIFY_SOCKET");

    *notify = (struct notify){.descriptor = -1};
    if (name == NULL || name[0] == '\0')
        return;
    if (!set_address(notify, name)) {
        complain(notify, "NOTIFY_SOCKET is neither a path nor an abstract name");
        return;
    }
    notify->descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->descriptor < 0)
        complain(notify, strerror(errno));
}

static bool tell(struct notify *notify, const char *message)
{
    if (notify->descriptor < 0)
        return true;
    if (sendto(notify->descriptor, message, strlen(message), MSG_NOSIGNAL,
               (const struct sockaddr *)&notify->address, notify->address_size) >= 0) {
        notify->complained = false;
        return true;
    }
    if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR)
        complain(notify, strerror(errno));
    return false;
}

void notify_state(struct notify *notify, const char *message)
{
    notify->owed[0] = '\0';
    if (!tell(notify, message))
        snprintf(notify->owed, sizeof(notify->owed), "%s", message);
}

bool notify_passing(struct notify *notify, const char *message)
{
    return tell(notify, message);
}

void notify_retry(struct notify *notify)
{
    if (notify->owed[0] != '\0' && tell(notify, notify->owed))
        notify->owed[0] = '\0';
}

void notify_close(struct notify *notify)
{
    if (notify->descriptor >= 0)
        close(notify->descriptor);
    notify->descriptor = -1;
}

int64_t notify_watchdog_us(void)
{
    const char *interval = getenv("WATCHDOG_USEC");
    const char *process = getenv("WATCHDOG_PID");
    int64_t microseconds;
    int64_t pid;

    if (interval == NULL || number_parse(interval, strlen(interval), &microseconds) != 0)
        return 0;
    if (process != NULL &&
        (number_parse(process, strlen(process), &pid) != 0 || pid != (int64_t)getpid()))
        return 0;
    return microseconds;
}
