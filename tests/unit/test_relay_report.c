/* The relay's log: what a message looks like, how seldom it comes, and that it never blocks. */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "relay/report.h"

static char directory[] = "/tmp/relay-report-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static int log_service;

static int start_log(void **state)
{
    (void)state;
    if (mkdtemp(directory) == NULL)
        return -1;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/log", directory);
    log_service = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    relay_report_to(address.sun_path);
    return bind(log_service, (const struct sockaddr *)&address, sizeof(address));
}

static int stop_log(void **state)
{
    (void)state;
    close(log_service);
    unlink(address.sun_path);
    return rmdir(directory);
}

/* The next message, "" if there is none. */
static const char *next_message(void)
{
    static char message[2048];
    ssize_t length = recv(log_service, message, sizeof(message) - 1, 0);

    message[length > 0 ? length : 0] = '\0';
    return message;
}

static void a_message_is_a_syslog_datagram(void **state)
{
    const char *message;
    char tail[64];

    (void)state;
    relay_report(RELAY_EVENT_SETUP, "a %s: %d", "number", 1);
    message = next_message();
    assert_memory_equal(message, "<27>", 4); /* daemon.err */
    snprintf(tail, sizeof(tail), " xmpp-extauth[%ld]: a number: 1", (long)getpid());
    assert_non_null(strstr(message, tail));
    /* RFC 3164: "Mmm dd hh:mm:ss" */
    assert_int_equal(strlen(message), 4 + 15 + strlen(tail));
}

static void an_event_is_logged_once_and_others_are_not_held_back(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++)
        relay_report(RELAY_EVENT_GARBAGE, "garbage");
    relay_report(RELAY_EVENT_CLOSED, "closed");
    assert_non_null(strstr(next_message(), "]: garbage"));
    assert_non_null(strstr(next_message(), "]: closed"));
    assert_string_equal(next_message(), "");
}

static void control_bytes_and_excess_are_cut(void **state)
{
    char path[2000];
    const char *message;

    (void)state;
    memset(path, 'x', sizeof(path));
    path[0] = '\n';
    path[sizeof(path) - 1] = '\0';
    relay_report(RELAY_EVENT_UNREACHABLE, "%s", path);
    message = next_message();
    assert_non_null(strstr(message, "]: ?xxx"));
    assert_true(strlen(message) < 500);
}

static void a_full_or_missing_log_does_not_block(void **state)
{
    int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    (void)state;
    while (sendto(sender, "x", 1, 0, (const struct sockaddr *)&address, sizeof(address)) == 1)
        ;
    assert_int_equal(errno, EAGAIN);
    close(sender);
    alarm(5);
    relay_report(RELAY_EVENT_SILENT, "lost");
    relay_report_to("/nonexistent/log");
    relay_report(RELAY_EVENT_REFUSED, "lost");
    relay_report_to(address.sun_path);
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_a_syslog_datagram),
        cmocka_unit_test(an_event_is_logged_once_and_others_are_not_held_back),
        cmocka_unit_test(control_bytes_and_excess_are_cut),
        cmocka_unit_test(a_full_or_missing_log_does_not_block),
    };

    return cmocka_run_group_tests_name("relay/report", tests, start_log, stop_log);
}
