/* The program that a chat server is configured to run: passes its questions to xmpp-authd's socket.
 * Options only. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "relay/relay.h"

#define DEFAULT_SOCKET  "/run/xmpp-authd/auth.sock"
#define SOCKET_VARIABLE "XMPP_AUTHD_SOCKET"

static const char usage[] =
    "usage: xmpp-extauth [SOCKET]\n"
    "\n"
    "Relays a chat server's authentication questions from standard input to xmpp-authd, and its\n"
    "answers to standard output. Made to be run by the chat server: ejabberd's extauth_program,\n"
    "Prosody's external_auth_command. To ask by hand, use `xmpp-authctl query`.\n"
    "\n"
    "  SOCKET     the daemon's socket; default: the environment's XMPP_AUTHD_SOCKET,\n"
    "             or " DEFAULT_SOCKET "\n"
    "  --help     print this\n"
    "  --version  print the version\n"
    "\n"
    "Exits when standard input is closed, never because of the daemon.\n";

/*
 * Any number of further arguments is accepted: a `#!/usr/bin/xmpp-extauth SOCKET` script gets its
 * own name as one. An empty argument or variable counts as none, so that a variable missing in a
 * configuration does not break logins.
 */
static const char *choose_socket(const char *argument)
{
    const char *variable = getenv(SOCKET_VARIABLE);

    if (argument != NULL && *argument != '\0')
        return argument;
    if (variable != NULL && *variable != '\0')
        return variable;
    return DEFAULT_SOCKET;
}

/* Exits for --help, --version and options that do not exist. Returns the first argument that is
 * none, or NULL. */
static const char *parse_options(int count, char **arguments)
{
    const char *first = count > 1 ? arguments[1] : NULL;

    if (first == NULL || first[0] != '-')
        return first;
    if (strcmp(first, "--") == 0)
        return count > 2 ? arguments[2] : NULL;
    if (strcmp(first, "--help") == 0) {
        fputs(usage, stdout);
        exit(EXIT_SUCCESS);
    }
    if (strcmp(first, "--version") == 0) {
        puts("xmpp-extauth " XMPP_AUTHD_VERSION);
        exit(EXIT_SUCCESS);
    }
    fprintf(stderr, "xmpp-extauth: unknown option %s\n%s", first, usage);
    exit(2);
}

/* Tokens pass through this process: no core dump, no other process of the same user looking in. */
static void refuse_dumps(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
#ifdef PR_SET_DUMPABLE
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

/*
 * SIGHUP is ignored because an operator's `pkill -HUP -f xmpp-authd`, meant to reload the daemon,
 * finds the daemon's name in our arguments too; a terminal that hangs up is noticed by poll(). The
 * keyboard's signals can come out of a password's control characters while a terminal is not yet
 * transparent, and a program that a signal ended is never restarted there. SIGTERM and the rest
 * keep their default: they end the relay.
 */
static void ignore_signals(void)
{
    static const int keyboard[] = {SIGINT, SIGQUIT, SIGTSTP, SIGTTIN, SIGTTOU};

    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (isatty(STDIN_FILENO) != 1)
        return;
    for (size_t i = 0; i < sizeof(keyboard) / sizeof(keyboard[0]); i++)
        signal(keyboard[i], SIG_IGN);
}

/* Else the socket would take the number of the one that is missing, and answers would be written
 * into it. */
static int have_standard_descriptors(void)
{
    if (fcntl(STDIN_FILENO, F_GETFD) == -1 || fcntl(STDOUT_FILENO, F_GETFD) == -1)
        return 0;
    /* NOLINTNEXTLINE(android-cloexec-open): nothing is ever run in the place of this program */
    return fcntl(STDERR_FILENO, F_GETFD) != -1 || open("/dev/null", O_WRONLY) != -1;
}

int main(int argc, char **argv)
{
    const char *argument = parse_options(argc, argv);

    ignore_signals();
    refuse_dumps();
    if (have_standard_descriptors())
        relay_run(choose_socket(argument));
    return EXIT_SUCCESS;
}
