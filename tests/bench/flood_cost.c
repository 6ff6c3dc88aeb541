/*
 * What questions cost that are to be refused, each kind beside as many good ones:
 *
 *     flood-cost --config FILE --key FILE [--rounds N] [--batch N] [--framing generic|ejabberd]
 *
 * Each round measures a batch of each kind, the order changing, on one authority. Prints a line for
 * each kind: medians, and "ratio", the median of the rounds' ratios to the good ones.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flood.h"
#include "in_process.h"

enum { ROUNDS_MAX = 200 };

struct bench {
    struct judging judging;
    struct minter *minter;
    size_t batch;
    size_t rounds;
    uint8_t *frames;
    double ns[FLOOD_KINDS][ROUNDS_MAX];
};

static double cost(struct bench *bench, size_t *yes_r)
{
    return judging_cost(&bench->judging, bench->frames, bench->judging.framing->question_size,
                        bench->batch, yes_r);
}

static int measure_kind(struct bench *bench, enum flood_kind kind, size_t round)
{
    size_t yes = 0;

    if (flood_mint(bench->minter, kind, bench->judging.framing, bench->frames, bench->batch) != 0)
        return -1;
    if (kind == FLOOD_REPLAYED && (cost(bench, &yes) < 0 || yes != bench->batch))
        return -1;
    bench->ns[kind][round] = cost(bench, &yes);
    if (yes == (kind == FLOOD_GOOD ? bench->batch : 0))
        return 0;
    fprintf(stderr, "%s: %zu of %zu were answered yes\n", flood_word(kind), yes, bench->batch);
    return -1;
}

static int run_round(struct bench *bench, size_t round)
{
    for (size_t i = 0; i < FLOOD_KINDS; i++) {
        if (measure_kind(bench, (enum flood_kind)((i + round) % FLOOD_KINDS), round) != 0)
            return -1;
        authority_tick(&bench->judging.authority, moment_now());
    }
    return 0;
}

static void print_medians(struct bench *bench)
{
    double ratios[FLOOD_KINDS][ROUNDS_MAX] = {0};

    for (size_t kind = 0; kind < FLOOD_KINDS; kind++) {
        for (size_t i = 0; i < bench->rounds; i++)
            ratios[kind][i] = bench->ns[kind][i] / bench->ns[FLOOD_GOOD][i];
    }
    for (enum flood_kind kind = 0; kind < FLOOD_KINDS; kind++)
        printf("kind=%s verdict_ns=%.1f ratio=%.3f\n", flood_word(kind),
               median(bench->ns[kind], bench->rounds), median(ratios[kind], bench->rounds));
}

struct options {
    const char *config;
    const char *key;
    const struct framing *framing;
};

static int parse_options(int argc, char **argv, struct bench *bench, struct options *options)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'C'},  {"key", required_argument, NULL, 'k'},
        {"batch", required_argument, NULL, 'b'},   {"rounds", required_argument, NULL, 'r'},
        {"framing", required_argument, NULL, 'f'}, {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'C')
            options->config = optarg;
        else if (option == 'k')
            options->key = optarg;
        else if (option == 'f')
            options->framing = framing_find(optarg);
        else if (option == 'b')
            bench->batch = strtoul(optarg, NULL, 10);
        else if (option == 'r')
            bench->rounds = strtoul(optarg, NULL, 10);
        else
            return -1;
    }
    return options->config != NULL && options->key != NULL && options->framing != NULL &&
                   bench->batch > 0 && bench->rounds > 0 && bench->rounds <= ROUNDS_MAX
               ? 0
               : -1;
}

static int run(struct bench *bench, const struct options *options)
{
    int result = 0;

    bench->minter = minter_create(options->key);
    bench->frames = malloc(bench->batch * options->framing->question_size);
    if (bench->minter == NULL || bench->frames == NULL)
        return -1;
    for (size_t round = 0; result == 0 && round < bench->rounds; round++)
        result = run_round(bench, round);
    if (result == 0)
        print_medians(bench);
    free(bench->frames);
    minter_destroy(&bench->minter);
    return result;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.batch = 5000, .rounds = 21};
    struct options options = {.framing = framing_find("generic")};
    int result;

    if (parse_options(argc, argv, &bench, &options) != 0) {
        fputs("usage: flood-cost --config FILE --key FILE [--rounds N] [--batch N] "
              "[--framing generic|ejabberd]\n",
              stderr);
        return 2;
    }
    if (judging_begin(&bench.judging, options.config, options.framing, 1000) != 0)
        return EXIT_FAILURE;
    result = run(&bench, &options);
    judging_end(&bench.judging);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
