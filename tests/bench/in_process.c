#include "in_process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config/problems.h"
#include "daemon/foresight.h"
#include "daemon/log.h"

/* Questions that one turn of the event loop would take. */
enum { TURN = 64 };

double cpu_ns(void)
{
    struct timespec time = {0};

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;

    return (a > b) - (a < b);
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

/* Any numbers that do not repeat do. */
static uint64_t mix(uint64_t value)
{
    value *= UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    return value ^ value >> 31;
}

static int spend_others(struct replay_index *index, size_t live)
{
    int64_t step = time(NULL) / MINT_INTERVAL;
    struct moment now = moment_now();
    struct spend spend = {
        .first_step = step, .filing_step = step, .interval = MINT_INTERVAL, .window = 1};

    for (size_t i = 0; i < live; i++) {
        spend.id.low = mix(i + 1);
        spend.id.high = mix(~(uint64_t)i);
        if (replay_index_spend(index, &spend, now) != SPEND_FRESH)
            return -1;
    }
    return 0;
}

static struct config *load(const char *path)
{
    struct problems *problems = problems_create();
    struct config *config = problems == NULL ? NULL : config_load(path, problems);

    if (config == NULL && problems != NULL)
        problems_print(problems, stderr);
    problems_destroy(&problems);
    return config;
}

int judging_begin(struct judging *judging, const char *path, const struct framing *framing,
                  size_t live)
{
    struct spent_store *store = memory_store_create(moment_now(), true);
    const char *error = "memory is short";

    log_init();
    *judging = (struct judging){.framing = framing, .config = load(path)};
    judging->accounts = accounts_open(":memory:", (struct accounts_limits){1000, 3600}, 0, &error);
    place_pool_init(&judging->pool);
    answers_init(&judging->answers, &judging->pool, NULL);
    judging->answers.protocol = protocol_of_first_byte(framing->yes[0]);
    if (judging->config != NULL && judging->accounts != NULL && store != NULL &&
        authority_init(&judging->authority, judging->config, store, judging->accounts) == 0 &&
        spend_others(store->index, live) == 0)
        return 0;
    fprintf(stderr, "%s: it can't be judged by (%s)\n", path, error);
    return -1;
}

void judging_end(struct judging *judging)
{
    answers_clear(&judging->answers);
    place_pool_deinit(&judging->pool);
    authority_deinit(&judging->authority);
    accounts_close(&judging->accounts);
    config_destroy(&judging->config);
}

/* As a connection does: a place for the answer, the question, the answer in its place. */
static int answer_question(struct judging *judging, struct foresight *foresight, struct moment now)
{
    struct answer_place *place = answers_reserve(&judging->answers, 1);
    const struct foreseen *request = foresight_next(foresight);
    int answer;

    if (place == NULL || request->status != FRAME_COMPLETE)
        return -1;
    answer =
        authority_ask(&judging->authority, &request->question, request->host, now, &place->asker);
    if (answer != ANSWER_PENDING)
        answers_fill(place, (enum answer)answer);
    return 0;
}

static int judge_turn(struct judging *judging, const uint8_t *frames, size_t size, size_t count,
                      size_t *yes)
{
    struct moment now = moment_now();
    size_t answer_size = judging->framing->answer_size;
    struct foresight foresight;

    foresight_begin(&foresight, &judging->authority, judging->answers.protocol, NULL, REQUEST_MAX,
                    frames, size * count);
    for (size_t i = 0; i < count; i++) {
        if (answer_question(judging, &foresight, now) != 0)
            return -1;
    }
    authority_commit(&judging->authority, now);
    if (answers_ready(&judging->answers) != count * answer_size)
        return -1;
    for (size_t i = 0; i < count; i++)
        *yes += memcmp(answers_front(&judging->answers) + i * answer_size, judging->framing->yes,
                       answer_size) == 0;
    answers_consume(&judging->answers, count * answer_size);
    return 0;
}

double judging_cost(struct judging *judging, const uint8_t *frames, size_t size, size_t count,
                    size_t *yes_r)
{
    double began = cpu_ns();

    *yes_r = 0;
    for (size_t i = 0; i < count; i += TURN) {
        size_t left = count - i;

        if (judge_turn(judging, frames + i * size, size, left < TURN ? left : TURN, yes_r) != 0)
            return -1;
    }
    return (cpu_ns() - began) / (double)count;
}
