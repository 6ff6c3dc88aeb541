/* xmpp-authctl: the operator's command line. Here: the process and the global options. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "ctl/command.h"
#include "ctl/report.h"

/* Secrets and tokens pass through this process: no core dump, and no look into it by others of the
 * same user. */
static void shield_memory(void)
{
    static const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

/* A closed standard output must not become the number of a socket or a file. Read-only: writing to
 * it still fails. */
static void hold_standard_descriptors(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        /* NOLINTNEXTLINE(android-cloexec-open): it is one of these three for children too */
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != descriptor)
            return;
    }
}

static enum ctl_status run(int argc, char **argv)
{
    struct arguments arguments;
    const struct command *command = NULL;

    if (arguments_parse(argc, argv, &arguments) != 0)
        return CTL_ERROR;
    if (arguments.command != NULL && (command = command_find(arguments.command)) == NULL)
        return CTL_ERROR;
    if (arguments.values[OPTION_HELP] != NULL) {
        command_usage(command, stdout);
        return CTL_YES;
    }
    if (arguments.values[OPTION_VERSION] != NULL) {
        puts("xmpp-authctl " XMPP_AUTHD_VERSION);
        return CTL_YES;
    }
    if (command == NULL) {
        ctl_complain("no command is given; xmpp-authctl --help lists them");
        return CTL_ERROR;
    }
    return command_accepts(command, &arguments) == 0 ? command->run(&arguments) : CTL_ERROR;
}

int main(int argc, char **argv)
{
    enum ctl_status status;

    shield_memory();
    hold_standard_descriptors();
    ctl_output_begin();
    status = run(argc, argv);
    return ctl_output_end() == 0 ? (int)status : CTL_ERROR;
}
