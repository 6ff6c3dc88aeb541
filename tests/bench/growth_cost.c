/*
 * What a verdict costs with many hosts and with many keys, one beside the other:
 *
 *     growth-cost --key FILE --largest CONFIG [--rounds N] [--batch N] NAME=CONFIG=HOSTS[=random] ...
 *
 * Each case is a configuration whose hosts are h0000.tests, h0001.tests ... and have the key among
 * theirs; the questions of a batch go to HOSTS of them in turn, or at random. Every host is asked
 * about once before anything is measured: the first question after the start has the one-time
 * passwords of some time steps computed, those after it don't. Each round measures a batch of fresh
 * tokens in every case, after another that is not measured, the order changing, and as many keyed
 * HMACs. Prints a line for each case: medians, and "flat", the median of the rounds' ratios to the
 * first case.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/problems.h"
#include "in_process.h"

enum { CASES_MAX = 24, ROUNDS_MAX = 200 };

struct bench_case {
    const char *name;
    size_t hosts;
    bool at_random;
    struct judging judging;
    double ns[ROUNDS_MAX];
};

struct bench {
    struct bench_case cases[CASES_MAX];
    size_t case_count;
    struct minter *minter;
    const char
        *largest; /* loaded first: by it memory for secrets is set aside, for three times it */
    size_t batch;
    size_t rounds;
    uint8_t *frames;
    char *messages;
    double hmac_ns[ROUNDS_MAX];
};

/* Any host as likely as any other. What merely leaps from host to host comes to some of them late. */
static uint64_t scatter(uint64_t number)
{
    number = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 32) * UINT64_C(0xbf58476d1ce4e5b9);
    return number ^ number >> 32;
}

static void name_host(const struct bench_case *bench_case, size_t i, char host[MINT_HOST_LENGTH])
{
    char text[MINT_HOST_LENGTH + 1];
    uint64_t number = bench_case->at_random ? scatter(i) : i;

    snprintf(text, sizeof(text), "h%04u.tests", (unsigned)(number % bench_case->hosts) % 10000);
    memcpy(host, text, MINT_HOST_LENGTH);
}

static int mint_batch(struct bench *bench, const struct bench_case *bench_case, size_t round)
{
    const struct framing *framing = bench_case->judging.framing;
    time_t now = time(NULL);
    struct minted minted = {0};
    char host[MINT_HOST_LENGTH];

    for (size_t i = 0; i < bench->batch; i++) {
        name_host(bench_case, round * bench->batch + i, host);
        if (minter_mint_at(bench->minter, host, now, &minted) != 0)
            return -1;
        framing_write(framing, minted.question, bench->frames + i * framing->question_size);
        memcpy(bench->messages + i * MINT_MESSAGE_LENGTH, minted.message, MINT_MESSAGE_LENGTH);
    }
    return 0;
}

/* What a question of a batch costs, in nanoseconds; -1 where one was not answered yes. */
static double judge_batch(struct bench *bench, struct bench_case *bench_case, size_t number)
{
    size_t yes = 0;
    double ns;

    if (mint_batch(bench, bench_case, number) != 0)
        return -1;
    ns = judging_cost(&bench_case->judging, bench->frames,
                      bench_case->judging.framing->question_size, bench->batch, &yes);
    if (yes != bench->batch)
        fputs("a fresh token was not answered yes\n", stderr);
    return yes == bench->batch ? ns : -1;
}

/* Asks about each host. All cases are asked as often, to have as many tokens spent. */
static int visit_hosts(struct bench *bench, struct bench_case *bench_case, size_t most_hosts)
{
    bool at_random = bench_case->at_random;
    int result = 0;

    bench_case->at_random = false;
    for (size_t i = 0; result == 0 && i * bench->batch < most_hosts; i++)
        result = judge_batch(bench, bench_case, i) < 0 ? -1 : 0;
    bench_case->at_random = at_random;
    return result;
}

static int visit_all_hosts(struct bench *bench)
{
    size_t most_hosts = 0;
    int result = 0;

    for (size_t i = 0; i < bench->case_count; i++) {
        if (bench->cases[i].hosts > most_hosts)
            most_hosts = bench->cases[i].hosts;
    }
    for (size_t i = 0; result == 0 && i < bench->case_count; i++)
        result = visit_hosts(bench, &bench->cases[i], most_hosts);
    return result;
}

/* The batch before it brings back what the other cases drove out of the processor's caches: a daemon
 * has its own hosts alone. */
static int measure_case(struct bench *bench, struct bench_case *bench_case, size_t round)
{
    bool ready = judge_batch(bench, bench_case, 2 * round) >= 0;

    bench_case->ns[round] = judge_batch(bench, bench_case, 2 * round + 1);
    return ready && bench_case->ns[round] >= 0 ? 0 : -1;
}

static int measure_hmac(struct bench *bench, size_t round)
{
    uint8_t signature[32];
    double began = cpu_ns();

    for (size_t i = 0; i < bench->batch; i++) {
        if (minter_sign(bench->minter, bench->messages + i * MINT_MESSAGE_LENGTH,
                        MINT_MESSAGE_LENGTH, signature) != 0)
            return -1;
    }
    bench->hmac_ns[round] = (cpu_ns() - began) / (double)bench->batch;
    return 0;
}

static int run_round(struct bench *bench, size_t round)
{
    for (size_t i = 0; i < bench->case_count; i++) {
        if (measure_case(bench, &bench->cases[(i + round) % bench->case_count], round) != 0)
            return -1;
    }
    return measure_hmac(bench, round);
}

static double median_ratio(const double *values, const double *against, size_t count)
{
    double ratios[ROUNDS_MAX] = {0};

    for (size_t i = 0; i < count; i++)
        ratios[i] = values[i] / against[i];
    return median(ratios, count);
}

static void print_medians(struct bench *bench)
{
    double flat[CASES_MAX] = {0};
    double in_hmacs[CASES_MAX] = {0};

    for (size_t i = 0; i < bench->case_count; i++) {
        flat[i] = median_ratio(bench->cases[i].ns, bench->cases[0].ns, bench->rounds);
        in_hmacs[i] = median_ratio(bench->cases[i].ns, bench->hmac_ns, bench->rounds);
    }
    for (size_t i = 0; i < bench->case_count; i++)
        printf("case=%s verdict_ns=%.1f hmac_ns=%.1f ratio=%.3f flat=%.3f\n", bench->cases[i].name,
               median(bench->cases[i].ns, bench->rounds), median(bench->hmac_ns, bench->rounds),
               in_hmacs[i], flat[i]);
}

/* NAME=CONFIG=HOSTS[=random] */
static int parse_case(char *text, struct bench_case *case_r, const char **path_r)
{
    char *rest = text;
    const char *name = strtok_r(text, "=", &rest);
    const char *path = strtok_r(NULL, "=", &rest);
    const char *hosts = strtok_r(NULL, "=", &rest);

    if (name == NULL || path == NULL || hosts == NULL)
        return -1;
    case_r->name = name;
    case_r->hosts = strtoul(hosts, NULL, 10);
    case_r->at_random = strcmp(rest, "random") == 0;
    *path_r = path;
    return case_r->hosts > 0 ? 0 : -1;
}

static int add_case(struct bench *bench, char *text)
{
    struct bench_case *added = &bench->cases[bench->case_count];
    const char *path;

    if (bench->case_count == CASES_MAX || parse_case(text, added, &path) != 0) {
        fprintf(stderr, "%s: not a case\n", text);
        return -1;
    }
    if (judging_begin(&added->judging, path, framing_find("generic"), 1000) != 0)
        return -1;
    bench->case_count++;
    return 0;
}

static int parse_options(int argc, char **argv, struct bench *bench)
{
    static const struct option long_options[] = {
        {"key", required_argument, NULL, 'k'},
        {"largest", required_argument, NULL, 'l'},
        {"batch", required_argument, NULL, 'b'},
        {"rounds", required_argument, NULL, 'r'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'k')
            bench->minter = minter_create(optarg);
        else if (option == 'l')
            bench->largest = optarg;
        else if (option == 'b')
            bench->batch = strtoul(optarg, NULL, 10);
        else if (option == 'r')
            bench->rounds = strtoul(optarg, NULL, 10);
        else
            return -1;
    }
    return bench->minter != NULL && bench->largest != NULL && bench->batch > 0 &&
                   bench->rounds > 0 && bench->rounds <= ROUNDS_MAX && optind < argc
               ? 0
               : -1;
}

static int set_memory_aside(const char *path)
{
    struct problems *problems = problems_create();
    struct config *config = problems == NULL ? NULL : config_load(path, problems);
    int result = config == NULL ? -1 : 0;

    config_destroy(&config);
    problems_destroy(&problems);
    return result;
}

static int run(struct bench *bench, char **cases)
{
    int result = set_memory_aside(bench->largest);

    bench->frames = malloc(bench->batch * (MINT_QUESTION_LENGTH + 2));
    bench->messages = malloc(bench->batch * MINT_MESSAGE_LENGTH);
    if (bench->frames == NULL || bench->messages == NULL)
        return -1;
    for (; result == 0 && *cases != NULL; cases++)
        result = add_case(bench, *cases);
    if (result == 0)
        result = visit_all_hosts(bench);
    for (size_t round = 0; result == 0 && round < bench->rounds; round++)
        result = run_round(bench, round);
    if (result == 0)
        print_medians(bench);
    return result;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.batch = 10000, .rounds = 11};
    int result;

    if (parse_options(argc, argv, &bench) != 0) {
        fputs("usage: growth-cost --key FILE --largest CONFIG [--rounds N] [--batch N] "
              "NAME=CONFIG=HOSTS[=random] "
              "...\n",
              stderr);
        return 2;
    }
    result = run(&bench, argv + optind);
    for (size_t i = 0; i < bench.case_count; i++)
        judging_end(&bench.cases[i].judging);
    minter_destroy(&bench.minter);
    free(bench.frames);
    free(bench.messages);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
