/*
 * What a verdict costs, from framed bytes to answer bytes, against one keyed HMAC-SHA256 by OpenSSL
 * of the bytes that the token's signature covers, its context reused:
 *
 *     verdict-cost --config FILE --key FILE [--batch N] [--rounds N] FRAMING=LIVE ...
 *
 * Each case is a framing and so many other tokens that are spent already. A round mints a batch of
 * fresh tokens for each case in turn, and measures the CPU time of both, the one right after the
 * other, the order changing; and of the verdict's parts, each in a loop of its own. Then the batch is
 * forgotten again. A first round, in which what is made for the life of a daemon is touched for the
 * first time, does not count. Prints a line for each case: medians, and "flat", the median of the
 * rounds' ratios to the first case.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "in_process.h"
#include "token/verify.h"

enum { CASES_MAX = 8, ROUNDS_MAX = 1000 };

enum part { WHOLE, PARSE, VERIFY, SPEND, HMAC, PART_COUNT };

struct bench_case {
    const struct framing *framing;
    size_t live;
    struct judging judging;
    double nanoseconds[PART_COUNT][ROUNDS_MAX]; /* a question */
};

struct bench {
    const char *config_path;
    size_t batch;
    size_t rounds;
    struct bench_case cases[CASES_MAX];
    size_t case_count;
    struct minter *minter;
    uint8_t *frames; /* of a batch */
    char *messages;  /* what their signatures cover */
    struct question *questions;
    struct token_verdict *verdicts;
};

static int mint_batch(struct bench *bench, const struct framing *framing)
{
    time_t now = time(NULL);
    struct minted minted = {0};

    for (size_t i = 0; i < bench->batch; i++) {
        if (minter_mint(bench->minter, now, &minted) != 0)
            return -1;
        framing_write(framing, minted.question, bench->frames + i * framing->question_size);
        memcpy(bench->messages + i * MINT_MESSAGE_LENGTH, minted.message, MINT_MESSAGE_LENGTH);
    }
    return 0;
}

/* How the batch's tokens are filed. */
static struct spend new_spend(const struct token_verdict *verdict)
{
    return (struct spend){.id = signature_id_of(verdict->signature),
                          .first_step = verdict->steps.first,
                          .filing_step = verdict->steps.last,
                          .interval = MINT_INTERVAL,
                          .window = 1};
}

static void forget_batch(const struct bench *bench, struct replay_index *index)
{
    for (size_t i = 0; i < bench->batch; i++) {
        struct spend spend = new_spend(&bench->verdicts[i]);

        replay_index_forget(index, &spend);
    }
}

static double per_question(const struct bench *bench, double began)
{
    return (cpu_ns() - began) / (double)bench->batch;
}

/* All that the daemon does with questions but read and write them. */
static int measure_whole(struct bench *bench, struct bench_case *measured, size_t round)
{
    size_t yes = 0;

    measured->nanoseconds[WHOLE][round] = judging_cost(
        &measured->judging, bench->frames, measured->framing->question_size, bench->batch, &yes);
    return yes == bench->batch ? 0 : -1;
}

static int measure_hmac(struct bench *bench, struct bench_case *measured, size_t round)
{
    size_t failed = 0;
    uint8_t signature[32];
    double began = cpu_ns();

    for (size_t i = 0; i < bench->batch; i++)
        failed += minter_sign(bench->minter, bench->messages + i * MINT_MESSAGE_LENGTH,
                              MINT_MESSAGE_LENGTH, signature) != 0;
    measured->nanoseconds[HMAC][round] = per_question(bench, began);
    return failed == 0 ? 0 : -1;
}

static int measure_parse(struct bench *bench, struct bench_case *measured, size_t round)
{
    const struct protocol *protocol = measured->judging.answers.protocol;
    size_t size = measured->framing->question_size;
    size_t failed = 0;
    double began = cpu_ns();

    for (size_t i = 0; i < bench->batch; i++) {
        struct frame frame;

        if (protocol->find_frame(bench->frames + i * size, size, REQUEST_MAX, &frame) ==
            FRAME_COMPLETE)
            bench->questions[i] = question_parse(frame.text, frame.length);
        else
            failed++;
    }
    measured->nanoseconds[PARSE][round] = per_question(bench, began);
    return failed == 0 ? 0 : -1;
}

static int measure_verify(struct bench *bench, struct bench_case *measured, size_t round)
{
    const struct config *config = measured->judging.config;
    int64_t now = moment_seconds(moment_now());
    size_t failed = 0;
    double began = cpu_ns();

    for (size_t i = 0; i < bench->batch; i++) {
        const struct question *question = &bench->questions[i];
        const struct claim claim = {.user = question->user,
                                    .user_length = question->user_length,
                                    .host = question->host,
                                    .host_length = question->host_length,
                                    .password = question->password,
                                    .password_length = question->password_length};
        const struct host *host = config_host(config, question->host, question->host_length);

        token_verify(host->keys, host->key_count, &host->format, &claim, now, &bench->verdicts[i]);
        failed += bench->verdicts[i].reason != REASON_ALLOWED;
    }
    measured->nanoseconds[VERIFY][round] = per_question(bench, began);
    return failed == 0 ? 0 : -1;
}

static int measure_spend(struct bench *bench, struct bench_case *measured, size_t round)
{
    struct replay_index *index = measured->judging.authority.store->index;
    struct moment now = moment_now();
    size_t failed = 0;
    double began;

    forget_batch(bench, index);
    began = cpu_ns();
    for (size_t i = 0; i < bench->batch; i++) {
        struct spend spend = new_spend(&bench->verdicts[i]);

        failed += replay_index_spend(index, &spend, now) != SPEND_FRESH;
    }
    measured->nanoseconds[SPEND][round] = per_question(bench, began);
    forget_batch(bench, index);
    return failed == 0 ? 0 : -1;
}

static int measure_case(struct bench *bench, struct bench_case *measured, size_t round)
{
    bool hmac_first = round % 2 == 1;

    if (mint_batch(bench, measured->framing) != 0 ||
        (hmac_first && measure_hmac(bench, measured, round) != 0) ||
        measure_whole(bench, measured, round) != 0 ||
        (!hmac_first && measure_hmac(bench, measured, round) != 0) ||
        measure_parse(bench, measured, round) != 0 || measure_verify(bench, measured, round) != 0 ||
        measure_spend(bench, measured, round) != 0) {
        fputs("a fresh token was not answered yes\n", stderr);
        return -1;
    }
    return 0;
}

static int run_round(struct bench *bench, size_t round)
{
    for (size_t i = 0; i < bench->case_count; i++) {
        if (measure_case(bench, &bench->cases[(i + round) % bench->case_count], round) != 0)
            return -1;
    }
    return 0;
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
    size_t rounds = bench->rounds;
    double flat[CASES_MAX] = {0};
    double in_hmacs[CASES_MAX] = {0};

    /* Before median() sorts what it is given. */
    for (size_t i = 0; i < bench->case_count; i++) {
        double(*ns)[ROUNDS_MAX] = bench->cases[i].nanoseconds;

        flat[i] = median_ratio(ns[WHOLE], bench->cases[0].nanoseconds[WHOLE], rounds);
        in_hmacs[i] = median_ratio(ns[WHOLE], ns[HMAC], rounds);
    }
    for (size_t i = 0; i < bench->case_count; i++) {
        double(*ns)[ROUNDS_MAX] = bench->cases[i].nanoseconds;

        printf("framing=%s live=%zu questions=%zu ratio=%.3f flat=%.3f verdict_ns=%.1f "
               "hmac_ns=%.1f parse_ns=%.1f verify_ns=%.1f spend_ns=%.1f\n",
               bench->cases[i].framing->word, bench->cases[i].live, bench->batch * rounds,
               in_hmacs[i], flat[i], median(ns[WHOLE], rounds), median(ns[HMAC], rounds),
               median(ns[PARSE], rounds), median(ns[VERIFY], rounds), median(ns[SPEND], rounds));
    }
}

/* FRAMING=LIVE */
static int add_case(struct bench *bench, char *text)
{
    struct bench_case *added = &bench->cases[bench->case_count];
    char *rest = text;

    added->framing = framing_find(strtok_r(text, "=", &rest));
    if (bench->case_count == CASES_MAX || added->framing == NULL) {
        fprintf(stderr, "%s: not a case\n", text);
        return -1;
    }
    added->live = strtoul(rest, NULL, 10);
    bench->case_count++;
    return judging_begin(&added->judging, bench->config_path, added->framing, added->live);
}

static int parse_options(int argc, char **argv, struct bench *bench)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'C'},
        {"key", required_argument, NULL, 'k'},
        {"batch", required_argument, NULL, 'b'},
        {"rounds", required_argument, NULL, 'r'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'C')
            bench->config_path = optarg;
        else if (option == 'k')
            bench->minter = minter_create(optarg);
        else if (option == 'b')
            bench->batch = strtoul(optarg, NULL, 10);
        else if (option == 'r')
            bench->rounds = strtoul(optarg, NULL, 10);
        else
            return -1;
    }
    return bench->config_path != NULL && bench->minter != NULL && bench->batch > 0 &&
                   bench->rounds > 0 && bench->rounds <= ROUNDS_MAX && optind < argc
               ? 0
               : -1;
}

static int run(struct bench *bench, char **cases)
{
    int result = 0;

    bench->frames = malloc(bench->batch * (MINT_QUESTION_LENGTH + 2));
    bench->messages = malloc(bench->batch * MINT_MESSAGE_LENGTH);
    bench->questions = calloc(bench->batch, sizeof(*bench->questions));
    bench->verdicts = calloc(bench->batch, sizeof(*bench->verdicts));
    if (bench->frames == NULL || bench->messages == NULL || bench->questions == NULL ||
        bench->verdicts == NULL)
        return -1;
    for (; result == 0 && *cases != NULL; cases++)
        result = add_case(bench, *cases);
    if (result == 0)
        result = run_round(bench, 0);
    for (size_t round = 0; result == 0 && round < bench->rounds; round++)
        result = run_round(bench, round);
    if (result == 0)
        print_medians(bench);
    return result;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.batch = 10000, .rounds = 15};
    int result;

    if (parse_options(argc, argv, &bench) != 0) {
        fputs("usage: verdict-cost --config FILE --key FILE [--batch N] [--rounds N] "
              "FRAMING=LIVE ...\n",
              stderr);
        return 2;
    }
    result = run(&bench, argv + optind);
    for (size_t i = 0; i < bench.case_count; i++)
        judging_end(&bench.cases[i].judging);
    minter_destroy(&bench.minter);
    free(bench.frames);
    free(bench.messages);
    free(bench.questions);
    free(bench.verdicts);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
