/*
 * Asks a server, in its own way, whether logins are good, and prints a line:
 *
 *     peer-client --speak generic|ejabberd|saslauthd|dovecot [--clients N] [--depth N]
 *                 [--questions N] [--processes PID,...]
 *                 (--key FILE | --user USER --password PASSWORD) (SOCKET | N N ...)
 *
 * With --key every question has a token of its own; else all have the same password. Numbers in
 * place of a socket are descriptors, one for each client. The processes are those whose CPU time
 * is the server's.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mint.h"
#include "peer_load.h"

enum { CLIENTS_MAX = 1024, PROCESSES_MAX = 1024 };

struct options {
    const char *key_path;
    struct login login;
    int descriptors[CLIENTS_MAX];
    pid_t processes[PROCESSES_MAX];
    size_t questions;
    struct peer_plan plan;
};

static bool set_processes(struct options *options, const char *list)
{
    struct peer_plan *plan = &options->plan;

    while (*list != '\0' && plan->process_count < PROCESSES_MAX) {
        char *end;

        options->processes[plan->process_count++] = (pid_t)strtol(list, &end, 10);
        if (end == list)
            return false;
        list = *end == ',' ? end + 1 : end;
    }
    return *list == '\0';
}

static bool set_option(struct options *options, int option, const char *value)
{
    switch (option) {
    case 's':
        options->plan.dialect = dialect_find(value);
        return options->plan.dialect != NULL;
    case 'k':
        options->key_path = value;
        return true;
    case 'u':
        options->login.user = value;
        return true;
    case 'p':
        options->login.password = value;
        return true;
    case 'P':
        return set_processes(options, value);
    case 'c':
        options->plan.clients = strtoul(value, NULL, 10);
        return options->plan.clients > 0 && options->plan.clients <= CLIENTS_MAX;
    case 'd':
        options->plan.depth = strtoul(value, NULL, 10);
        return options->plan.depth > 0;
    case 'q':
        options->questions = strtoul(value, NULL, 10);
        return options->questions > 0;
    default:
        return false;
    }
}

static bool set_way(struct options *options, int count, char **words)
{
    if (count == 1 && strchr(words[0], '/') != NULL) {
        options->plan.path = words[0];
        return true;
    }
    for (int i = 0; i < count && i < CLIENTS_MAX; i++)
        options->descriptors[i] = (int)strtol(words[i], NULL, 10);
    return count == (int)options->plan.clients;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
    static const struct option long_options[] = {
        {"speak", required_argument, NULL, 's'},
        {"key", required_argument, NULL, 'k'},
        {"user", required_argument, NULL, 'u'},
        {"password", required_argument, NULL, 'p'},
        {"processes", required_argument, NULL, 'P'},
        {"clients", required_argument, NULL, 'c'},
        {"depth", required_argument, NULL, 'd'},
        {"questions", required_argument, NULL, 'q'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (!set_option(options, option, optarg == NULL ? "" : optarg))
            return false;
    }
    return options->plan.dialect != NULL && set_way(options, argc - optind, argv + optind) &&
           (options->key_path != NULL ||
            (options->login.user != NULL && options->login.password != NULL));
}

/* The next login: the same for all, or one with a token of its own. */
static int next_login(const struct options *options, struct minter *minter, struct minted *minted,
                      struct login *login_r)
{
    char *host, *token;

    *login_r = options->login;
    if (minter == NULL)
        return 0;
    if (minter_mint(minter, time(NULL), minted) != 0)
        return -1;
    login_r->user = minted->question + strlen("auth:");
    host = strchr(login_r->user, ':');
    *host++ = '\0';
    token = strchr(host, ':');
    *token++ = '\0';
    login_r->password = token;
    return 0;
}

/* All questions from number 1 on. */
static int write_questions(const struct options *options, struct minter *minter, uint8_t *questions,
                           size_t *sizes)
{
    for (size_t i = 1; i < options->plan.question_count; i++) {
        struct minted minted;
        struct login login;

        if (next_login(options, minter, &minted, &login) != 0)
            return -1;
        sizes[i] =
            options->plan.dialect->ask(questions + i * DIALECT_QUESTION_MAX, &login, (uint32_t)i);
        if (sizes[i] == 0)
            return -1;
    }
    return 0;
}

static int run(struct options *options, struct minter *minter)
{
    struct peer_plan *plan = &options->plan;
    uint8_t *questions;
    size_t *sizes;
    struct peer_result result = {0};
    int outcome = -1;

    plan->question_count = 1 + plan->clients + options->questions;
    plan->descriptors = options->descriptors;
    plan->processes = options->processes;
    plan->questions = questions = malloc(plan->question_count * DIALECT_QUESTION_MAX);
    plan->sizes = sizes = calloc(plan->question_count, sizeof(*sizes));
    if (questions == NULL || sizes == NULL ||
        write_questions(options, minter, questions, sizes) != 0)
        fputs("the questions can't be made\n", stderr);
    else
        outcome = peer_load_run(plan, &result);
    if (outcome == 0)
        printf("questions=%zu yes=%llu no=%llu seconds=%.6f server_cpu=%.6f p50_us=%.1f "
               "p99_us=%.1f p999_us=%.1f\n",
               options->questions, (unsigned long long)result.yes, (unsigned long long)result.no,
               result.seconds, result.server_cpu, latency_quantile(&result.latency, 0.5) / 1e3,
               latency_quantile(&result.latency, 0.99) / 1e3,
               latency_quantile(&result.latency, 0.999) / 1e3);
    free(questions);
    free(sizes);
    return outcome;
}

int main(int argc, char **argv)
{
    static struct options options = {
        .login.host = MINT_HOST, .questions = 1000, .plan = {.clients = 1, .depth = 1}};
    struct minter *minter = NULL;
    int outcome;

    if (!parse_options(argc, argv, &options)) {
        fputs("usage: peer-client --speak DIALECT [--clients N] [--depth N] [--questions N] "
              "[--processes PID,...] (--key FILE | --user USER --password PASSWORD) "
              "(SOCKET | N N ...)\n",
              stderr);
        return 2;
    }
    if (options.key_path != NULL && (minter = minter_create(options.key_path)) == NULL)
        return EXIT_FAILURE;
    outcome = run(&options, minter);
    minter_destroy(&minter);
    return outcome == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
