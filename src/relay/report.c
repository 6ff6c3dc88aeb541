#include "relay/report.h"

#include <paths.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "relay/address.h"
#include "relay/clock.h"

#define IDENTITY       "xmpp-extauth"
#define MESSAGE_MAX    400
#define QUIET_INTERVAL 60000

static const char *log_path = _PATH_LOG;

static struct {
    bool logged;
    int64_t logged_at;
    unsigned left_out;
} history[RELAY_EVENT_COUNT];

static int priority_of(enum relay_event event)
{
    switch (event) {
    case RELAY_EVENT_SETUP:
        return LOG_ERR;
    case RELAY_EVENT_RECOVERED:
    case RELAY_EVENT_TERMINAL:
        return LOG_NOTICE;
    default:
        return LOG_WARNING;
    }
}

void relay_report_to(const char *socket_path)
{
    log_path = socket_path;
}

/*
 * Not syslog(3): it waits in send() while the log's reader is stuck, and with it every login would.
 * A message a minute is worth a socket each, and so a log service that was restarted needs no care.
 */
static bool send_datagram(const char *datagram, size_t length)
{
    struct sockaddr_un address;
    int descriptor;
    ssize_t sent;

    if (relay_address(log_path, &address) == -1)
        return false;
    descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor == -1)
        return false;
    sent = sendto(descriptor, datagram, length, MSG_DONTWAIT | MSG_NOSIGNAL,
                  (const struct sockaddr *)&address, sizeof(address));
    close(descriptor);
    return sent != -1;
}

/* RFC 3164, section 4.1, as every local syslog service takes it. */
static bool send_message(int priority, const char *message)
{
    char datagram[MESSAGE_MAX + 100];
    char date[32] = "";
    time_t now = time(NULL);
    struct tm parts;
    int length;

    if (localtime_r(&now, &parts) == NULL ||
        strftime(date, sizeof(date), "%b %e %H:%M:%S", &parts) == 0)
        return false;
    length = snprintf(datagram, sizeof(datagram), "<%d>%s %s[%ld]: %s", LOG_DAEMON | priority, date,
                      IDENTITY, (long)getpid(), message);
    return length > 0 && send_datagram(datagram, strlen(datagram));
}

/* A socket's path is the operator's, but it may come from an environment that is not. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

void relay_report(enum relay_event event, const char *format, ...)
{
    char message[MESSAGE_MAX];
    int64_t now = relay_now();
    size_t length;
    va_list arguments;

    if (history[event].logged && now - history[event].logged_at < QUIET_INTERVAL) {
        history[event].left_out++;
        return;
    }
    va_start(arguments, format);
    /* clang-tidy 14 forgets va_start() when it analyses several files in one run. */
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    length = strlen(message);
    if (history[event].left_out > 0)
        snprintf(message + length, sizeof(message) - length, " (and %u times more since the last)",
                 history[event].left_out);
    make_printable(message);
    if (send_message(priority_of(event), message))
        history[event].left_out = 0;
    else
        history[event].left_out++;
    history[event].logged = true;
    history[event].logged_at = now;
}
