/*
 * What a verdict costs, from framed bytes to answer bytes, against one keyed HMAC-SHA256 by OpenSSL
 * of the bytes that the token's signature covers, its context reused:
 *
 *     verdict-cost --config FILE --key FILE [--framing generic|ejabberd] [--live N] [--batch N]
 *                  [--rounds N]
 *
 * Each round mints a batch of fresh tokens, where N other tokens are spent already, and measures the
 * CPU time of both, the one right after the other, the order changing; and of the verdict's parts,
 * each in a loop of its own. Then the batch is forgotten again. A first round, in which what is
 * made for the life of a daemon is touched for the first time, does not count. Prints medians.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/config.h"
#include "config/problems.h"
#include "daemon/answers.h"
#include "daemon/authority.h"
#include "daemon/log.h"
#include "questions.h"
#include "token/verify.h"

/* Questions that one turn of the event loop would take: the clocks are read once for them. */
enum { TURN = 64, ROUNDS_MAX = 1000 };

enum part { WHOLE, PARSE, VERIFY, SPEND, HMAC, PART_COUNT };

struct options {
    const char *config_path;
    const char *key_path;
    const struct framing *framing;
    size_t live;
    size_t batch;
    size_t rounds;
};

struct bench {
    struct options options;
    struct config *config;
    struct accounts *accounts;
    struct authority authority;
    struct minter *minter;
    const struct protocol *protocol;
    uint8_t *frames; /* of a batch */
    char *messages;  /* what their signatures cover */
    struct question *questions;
    struct token_verdict *verdicts;
    uint64_t random;
    double nanoseconds[PART_COUNT][ROUNDS_MAX]; /* a question */
};

static double cpu_ns(void)
{
    struct timespec time = {0};

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static uint64_t next_random(struct bench *bench)
{
    uint64_t value = bench->random += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static int mint_batch(struct bench *bench)
{
    const struct framing *framing = bench->options.framing;
    time_t now = time(NULL);
    struct minted minted = {0};

    for (size_t i = 0; i < bench->options.batch; i++) {
        if (minter_mint(bench->minter, now, &minted) != 0)
            return -1;
        framing_write(framing, minted.question, bench->frames + i * framing->question_size);
        memcpy(bench->messages + i * MINT_MESSAGE_LENGTH, minted.message, MINT_MESSAGE_LENGTH);
    }
    return 0;
}

/* How the batch's tokens are filed, and others of the same time. */
static struct spend new_spend(const struct token_verdict *verdict)
{
    return (struct spend){.id = signature_id_of(verdict->signature),
                          .first_step = verdict->steps.first,
                          .filing_step = verdict->steps.last,
                          .interval = MINT_INTERVAL,
                          .window = 1};
}

/* Has so many other tokens spent already. */
static int fill_index(struct bench *bench, struct replay_index *index)
{
    struct moment now = moment_now();
    int64_t step = moment_seconds(now) / MINT_INTERVAL;
    struct token_verdict other = {.steps = {.first = step, .last = step}};
    struct spend spend = new_spend(&other);

    for (size_t i = 0; i < bench->options.live; i++) {
        spend.id.low = next_random(bench);
        spend.id.high = next_random(bench);
        if (replay_index_spend(index, &spend, now) != SPEND_FRESH)
            return -1;
    }
    return 0;
}

static void forget_batch(struct bench *bench)
{
    for (size_t i = 0; i < bench->options.batch; i++) {
        struct spend spend = new_spend(&bench->verdicts[i]);

        replay_index_forget(bench->authority.store->index, &spend);
    }
}

static int find_question(const struct bench *bench, size_t i, struct question *question_r)
{
    size_t size = bench->options.framing->question_size;
    struct frame frame;

    if (bench->protocol->find_frame(bench->frames + i * size, size, REQUEST_MAX, &frame) !=
        FRAME_COMPLETE)
        return -1;
    *question_r = question_parse(frame.text, frame.length);
    return 0;
}

/* As a connection does: a place for the answer, the question, the answer in its place. */
static int answer_question(struct bench *bench, struct authority *authority,
                           struct answers *answers, size_t i, struct moment now)
{
    struct answer_place *place = answers_reserve(answers, 1);
    struct question question;
    int answer;

    if (place == NULL || find_question(bench, i, &question) != 0)
        return -1;
    answer = authority_ask(authority, &question, now, &place->asker);
    if (answer != ANSWER_PENDING)
        answers_fill(place, (enum answer)answer);
    return 0;
}

/* All that the daemon does with a turn's questions but read and write them; -1 where an answer is
 * not yes. */
static int run_turn(struct bench *bench, struct answers *answers, size_t first, size_t end)
{
    struct authority *authority = &bench->authority;
    struct moment now = moment_now();
    size_t answer_size = bench->protocol->answer_size;
    size_t refused = 0;

    for (size_t i = first; i < end; i++) {
        if (answer_question(bench, authority, answers, i, now) != 0)
            return -1;
    }
    authority_commit(authority, now);
    if (answers_ready(answers) != (end - first) * answer_size)
        return -1;
    for (size_t i = 0; i < end - first; i++)
        refused += memcmp(answers_front(answers) + i * answer_size, bench->options.framing->yes,
                          answer_size) != 0;
    answers_consume(answers, (end - first) * answer_size);
    return refused == 0 ? 0 : -1;
}

static int measure_whole(struct bench *bench, size_t round)
{
    size_t batch = bench->options.batch;
    struct place_pool pool;
    struct answers answers;
    size_t failed = 0;
    double began;

    place_pool_init(&pool);
    answers_init(&answers, &pool, NULL);
    answers.protocol = bench->protocol;
    began = cpu_ns();
    for (size_t i = 0; i < batch; i += TURN)
        failed += run_turn(bench, &answers, i, i + TURN < batch ? i + TURN : batch) != 0;
    bench->nanoseconds[WHOLE][round] = (cpu_ns() - began) / (double)batch;
    answers_clear(&answers);
    place_pool_deinit(&pool);
    return failed == 0 ? 0 : -1;
}

static int measure_hmac(struct bench *bench, size_t round)
{
    size_t failed = 0;
    uint8_t signature[32];
    double began = cpu_ns();

    for (size_t i = 0; i < bench->options.batch; i++)
        failed += minter_sign(bench->minter, bench->messages + i * MINT_MESSAGE_LENGTH,
                              MINT_MESSAGE_LENGTH, signature) != 0;
    bench->nanoseconds[HMAC][round] = (cpu_ns() - began) / (double)bench->options.batch;
    return failed == 0 ? 0 : -1;
}

static int measure_parse(struct bench *bench, size_t round)
{
    size_t failed = 0;
    double began = cpu_ns();

    for (size_t i = 0; i < bench->options.batch; i++)
        failed += find_question(bench, i, &bench->questions[i]) != 0;
    bench->nanoseconds[PARSE][round] = (cpu_ns() - began) / (double)bench->options.batch;
    return failed == 0 ? 0 : -1;
}

static int measure_verify(struct bench *bench, size_t round)
{
    int64_t now = moment_seconds(moment_now());
    size_t failed = 0;
    double began = cpu_ns();

    for (size_t i = 0; i < bench->options.batch; i++) {
        const struct question *question = &bench->questions[i];
        const struct claim claim = {.user = question->user,
                                    .user_length = question->user_length,
                                    .host = question->host,
                                    .host_length = question->host_length,
                                    .password = question->password,
                                    .password_length = question->password_length};
        const struct host *host = config_host(bench->config, question->host, question->host_length);

        token_verify(host->keys, host->key_count, &host->format, &claim, now, &bench->verdicts[i]);
        failed += bench->verdicts[i].reason != REASON_ALLOWED;
    }
    bench->nanoseconds[VERIFY][round] = (cpu_ns() - began) / (double)bench->options.batch;
    return failed == 0 ? 0 : -1;
}

static int measure_spend(struct bench *bench, size_t round)
{
    struct moment now = moment_now();
    size_t failed = 0;
    double began;

    forget_batch(bench);
    began = cpu_ns();
    for (size_t i = 0; i < bench->options.batch; i++) {
        struct spend spend = new_spend(&bench->verdicts[i]);

        failed += replay_index_spend(bench->authority.store->index, &spend, now) != SPEND_FRESH;
    }
    bench->nanoseconds[SPEND][round] = (cpu_ns() - began) / (double)bench->options.batch;
    forget_batch(bench);
    return failed == 0 ? 0 : -1;
}

static int run_round(struct bench *bench, size_t round)
{
    bool hmac_first = round % 2 == 1;

    if (mint_batch(bench) != 0 || (hmac_first && measure_hmac(bench, round) != 0) ||
        measure_whole(bench, round) != 0 || (!hmac_first && measure_hmac(bench, round) != 0) ||
        measure_parse(bench, round) != 0 || measure_verify(bench, round) != 0 ||
        measure_spend(bench, round) != 0) {
        fputs("a fresh token was not answered yes\n", stderr);
        return -1;
    }
    return 0;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

static void print_medians(struct bench *bench)
{
    size_t rounds = bench->options.rounds;
    double ratios[ROUNDS_MAX] = {0};

    for (size_t i = 0; i < rounds; i++)
        ratios[i] = bench->nanoseconds[WHOLE][i] / bench->nanoseconds[HMAC][i];
    printf("framing=%s live=%zu questions=%zu ratio=%.3f verdict_ns=%.1f hmac_ns=%.1f "
           "parse_ns=%.1f verify_ns=%.1f spend_ns=%.1f\n",
           bench->options.framing->word, bench->options.live, bench->options.batch * rounds,
           median(ratios, rounds), median(bench->nanoseconds[WHOLE], rounds),
           median(bench->nanoseconds[HMAC], rounds), median(bench->nanoseconds[PARSE], rounds),
           median(bench->nanoseconds[VERIFY], rounds), median(bench->nanoseconds[SPEND], rounds));
}

static bool set_option(struct options *options, int option, const char *value)
{
    size_t number = strtoul(value, NULL, 10);

    switch (option) {
    case 'C':
        options->config_path = value;
        return true;
    case 'k':
        options->key_path = value;
        return true;
    case 'f':
        options->framing = framing_find(value);
        return options->framing != NULL;
    case 'l':
        options->live = number;
        return true;
    case 'b':
        options->batch = number;
        return number > 0;
    case 'r':
        options->rounds = number;
        return number > 0 && number <= ROUNDS_MAX;
    default:
        return false;
    }
}

static int parse_options(int argc, char **argv, struct options *options)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'C'},
        {"key", required_argument, NULL, 'k'},
        {"framing", required_argument, NULL, 'f'},
        {"live", required_argument, NULL, 'l'},
        {"batch", required_argument, NULL, 'b'},
        {"rounds", required_argument, NULL, 'r'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (!set_option(options, option, optarg == NULL ? "" : optarg))
            return -1;
    }
    return options->config_path != NULL && options->key_path != NULL && optind == argc ? 0 : -1;
}

static int start_authority(struct bench *bench)
{
    struct spent_store *store = memory_store_create(moment_now(), true);

    if (store == NULL)
        return -1;
    if (authority_init(&bench->authority, bench->config, store, bench->accounts) != 0) {
        authority_deinit(&bench->authority);
        return -1;
    }
    return fill_index(bench, store->index);
}

static int prepare(struct bench *bench)
{
    size_t batch = bench->options.batch;
    struct problems *problems = problems_create();
    const char *error = "";

    log_init();
    bench->config = problems == NULL ? NULL : config_load(bench->options.config_path, problems);
    problems_destroy(&problems);
    if (bench->config == NULL) {
        fputs("the configuration has errors: try xmpp-authd --check-config\n", stderr);
        return -1;
    }
    bench->accounts = accounts_open(":memory:", (struct accounts_limits){1000, 3600}, 0, &error);
    if (bench->accounts == NULL)
        fprintf(stderr, "%s\n", error);
    bench->minter = minter_create(bench->options.key_path);
    bench->frames = malloc(batch * bench->options.framing->question_size);
    bench->protocol = protocol_of_first_byte(bench->options.framing->yes[0]);
    bench->messages = malloc(batch * MINT_MESSAGE_LENGTH);
    bench->questions = calloc(batch, sizeof(*bench->questions));
    bench->verdicts = calloc(batch, sizeof(*bench->verdicts));
    return bench->accounts == NULL || bench->minter == NULL || bench->frames == NULL ||
                   bench->messages == NULL || bench->questions == NULL || bench->verdicts == NULL
               ? -1
               : start_authority(bench);
}

static void release(struct bench *bench)
{
    if (bench->authority.store != NULL)
        authority_deinit(&bench->authority);
    config_destroy(&bench->config);
    accounts_close(&bench->accounts);
    minter_destroy(&bench->minter);
    free(bench->frames);
    free(bench->messages);
    free(bench->questions);
    free(bench->verdicts);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    int result;

    bench.options = (struct options){
        .framing = framing_find("generic"), .live = 1000, .batch = 10000, .rounds = 15};
    if (parse_options(argc, argv, &bench.options) != 0) {
        fputs("usage: verdict-cost --config FILE --key FILE [--framing generic|ejabberd] "
              "[--live N] [--batch N] [--rounds N]\n",
              stderr);
        return 2;
    }
    result = prepare(&bench);
    if (result == 0)
        result = run_round(&bench, 0);
    for (size_t round = 0; result == 0 && round < bench.options.rounds; round++)
        result = run_round(&bench, round);
    if (result == 0)
        print_medians(&bench);
    release(&bench);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
