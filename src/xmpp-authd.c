/* The daemon's options; everything else is in the rooms. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/config.h"
#include "daemon/log.h"
#include "daemon/process.h"
#include "daemon/reload.h"
#include "daemon/server.h"

enum { EXIT_USAGE = 2 };

struct options {
    const char *path;
    bool check;
    bool dump;
};

static const char usage[] =
    "usage: xmpp-authd [-c FILE] [--check-config | --dump-config]\n"
    "\n"
    "Answers chat servers' login questions over a Unix socket, in the foreground.\n"
    "\n"
    "  -c, --config FILE  the configuration (default " CONFIG_DEFAULT_PATH ")\n"
    "      --check-config say everything that is wrong with it, and exit\n"
    "      --dump-config  print it whole, defaults included and secrets masked, and exit\n"
    "      --version      print the version, and exit\n"
    "      --help         print this, and exit\n"
    "\n"
    "Signals: SIGHUP reloads; SIGTERM or SIGINT answers what was received and exits.\n";

static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'k'},
        {"dump-config", no_argument, NULL, 'd'},  {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},         {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1) {
        switch (option) {
        case 'c':
            options->path = optarg;
            break;
        case 'k':
            options->check = true;
            break;
        case 'd':
            options->dump = true;
            break;
        case 'v':
            puts("xmpp-authd " XMPP_AUTHD_VERSION);
            exit(EXIT_SUCCESS);
        case 'h':
            fputs(usage, stdout);
            exit(EXIT_SUCCESS);
        default:
            return -1;
        }
    }
    return optind == argc ? 0 : -1;
}

/* For a person, as plain lines; for the service's log, as log lines. */
static struct config *load(const struct options *options)
{
    struct problems *problems = problems_create();
    struct config *config = problems == NULL ? NULL : config_load(options->path, problems);

    if (problems == NULL)
        log_event_text(LOG_LEVEL_ERROR, "start-failed", "why", "memory is short");
    else if (options->check || options->dump)
        problems_print(problems, stderr);
    else
        log_problems(problems);
    problems_destroy(&problems);
    return config;
}

static int serve(struct config *config)
{
    struct server *server;
    int result;

    log_set_level((enum log_level)config->log->level);
    process_report_secret_memory();
    process_raise_descriptor_limit(config->server->max_connections);
    server = server_create(config);
    if (server == NULL)
        return EXIT_FAILURE;
    result = server_run(server);
    server_destroy(&server);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct options options = {.path = CONFIG_DEFAULT_PATH};
    struct config *config;

    if (parse_options(argc, argv, &options) != 0) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    process_hide_memory();
    log_init();
    config = load(&options);
    if (config == NULL)
        return EXIT_FAILURE;
    if (!options.check && !options.dump)
        return serve(config);
    if (options.dump)
        config_dump(config, stdout);
    config_destroy(&config);
    return EXIT_SUCCESS;
}
