/*
 * Puts the same load on several servers in turn and prints a line for each run:
 *
 *     load-client --key FILE [--framing generic|ejabberd] [--clients N] [--depth N]
 *                 [--questions N] [--rate N] NAME=SOCKET ...
 *
 * The runs follow right after one another, in the order given: call it again and again with the
 * order changing, and neither a slow second of the machine nor the order favours one of them.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "load.h"

enum { SERVERS_MAX = 256, OTHER_DESCRIPTORS = 16 };

struct server {
    const char *name;
    const char *path;
};

struct options {
    const char *key_path;
    const struct framing *framing;
    size_t clients;
    size_t depth;
    size_t questions; /* a run */
    size_t rate;      /* a second; 0: each client asks when it has its answer */
    struct server servers[SERVERS_MAX];
    size_t server_count;
};

static int add_server(struct options *options, char *argument)
{
    char *equals = strchr(argument, '=');

    if (equals == NULL || options->server_count == SERVERS_MAX)
        return -1;
    *equals = '\0';
    options->servers[options->server_count++] = (struct server){argument, equals + 1};
    return 0;
}

static bool set_option(struct options *options, int option, const char *value)
{
    size_t number = strtoul(value, NULL, 10);

    switch (option) {
    case 'k':
        options->key_path = value;
        return true;
    case 'f':
        options->framing = framing_find(value);
        return options->framing != NULL;
    case 'c':
        options->clients = number;
        break;
    case 'd':
        options->depth = number;
        break;
    case 'q':
        options->questions = number;
        break;
    case 'r':
        options->rate = number;
        break;
    default:
        return false;
    }
    return number > 0;
}

static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option long_options[] = {
        {"key", required_argument, NULL, 'k'},
        {"framing", required_argument, NULL, 'f'},
        {"clients", required_argument, NULL, 'c'},
        {"depth", required_argument, NULL, 'd'},
        {"questions", required_argument, NULL, 'q'},
        {"rate", required_argument, NULL, 'r'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (!set_option(options, option, optarg == NULL ? "" : optarg))
            return -1;
    }
    for (; optind < argc; optind++) {
        if (add_server(options, argv[optind]) != 0)
            return -1;
    }
    return options->key_path != NULL && options->server_count > 0 ? 0 : -1;
}

static void raise_descriptor_limit(size_t clients)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= clients + OTHER_DESCRIPTORS)
        return;
    limit.rlim_cur = clients + OTHER_DESCRIPTORS;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void print_result(const struct options *options, const struct server *server,
                         const struct load_result *result)
{
    printf("server=%s questions=%zu yes=%llu other=%llu seconds=%.6f server_cpu=%.6f "
           "p50_us=%.1f p99_us=%.1f p999_us=%.1f late_p99_us=%.1f\n",
           server->name, options->questions, (unsigned long long)result->yes,
           (unsigned long long)result->other, result->seconds, result->server_cpu,
           latency_quantile(&result->latency, 0.5) / 1e3,
           latency_quantile(&result->latency, 0.99) / 1e3,
           latency_quantile(&result->latency, 0.999) / 1e3,
           latency_quantile(&result->lateness, 0.99) / 1e3);
    fflush(stdout);
}

static int run_once(const struct options *options, struct minter *minter,
                    const struct server *server)
{
    struct question_set questions;
    struct load_result result;
    struct load_plan plan = {.path = server->path,
                             .questions = &questions,
                             .clients = options->clients,
                             .depth = options->depth,
                             .rate = (double)options->rate};
    int outcome;

    if (question_set_fill(&questions, options->framing, minter,
                          options->clients + options->questions) != 0) {
        fputs("the questions can't be minted\n", stderr);
        return -1;
    }
    outcome = load_run(&plan, &result);
    if (outcome == 0)
        print_result(options, server, &result);
    question_set_clear(&questions);
    return outcome;
}

static int run_all(const struct options *options, struct minter *minter)
{
    for (size_t i = 0; i < options->server_count; i++) {
        if (run_once(options, minter, &options->servers[i]) != 0)
            return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct options options = {
        .framing = framing_find("generic"), .clients = 1, .depth = 1, .questions = 1000};
    struct minter *minter;
    int result;

    if (parse_options(argc, argv, &options) != 0) {
        fputs("usage: load-client --key FILE [--framing generic|ejabberd] [--clients N] "
              "[--depth N] [--questions N] [--rate N] NAME=SOCKET ...\n",
              stderr);
        return 2;
    }
    raise_descriptor_limit(options.clients);
    minter = minter_create(options.key_path);
    if (minter == NULL)
        return EXIT_FAILURE;
    result = run_all(&options, minter);
    minter_destroy(&minter);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
