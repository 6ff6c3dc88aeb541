/*
 * What the journal costs, in a process of its own and by a clock of its own:
 *
 *     journal-cost DIRECTORY COUNT TURNS
 *
 * spends COUNT tokens in an empty directory, in turns of 64, then measures TURNS more, each with its write. Prints the median of
 * the nanoseconds a token, the bytes of the record's files for each token on record, and how many of those files are left when
 * the window is over.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/journal_store.h"

enum { TURN = 64, STEP_SECONDS = 300, TURNS_MAX = 100000 };

struct bench {
    struct spent_store *store;
    struct moment now;
    uint64_t random;
    uint64_t fresh;
    struct spend_waiter waiters[TURN];
};

static struct bench bench;

/* SplitMix64: even bits, as those of a signature are. */
static uint64_t next_random(void)
{
    uint64_t value = bench.random += UINT64_C(0x9e3779b97f4a7c15);

    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static void on_outcome(struct spend_waiter *waiter, enum spend_outcome outcome)
{
    (void)waiter;
    bench.fresh += outcome == SPEND_FRESH;
}

static void spend_turn(void)
{
    int64_t step = moment_seconds(bench.now) / STEP_SECONDS;

    for (size_t i = 0; i < TURN; i++) {
        struct spend spend = {
            .first_step = step, .filing_step = step, .interval = STEP_SECONDS, .window = 1};

        spend.id.low = next_random();
        spend.id.high = next_random();
        (void)spent_store_spend(bench.store, &spend, bench.now, &bench.waiters[i]);
    }
    spent_store_commit(bench.store, bench.now);
}

static int64_t nanoseconds(void)
{
    struct timespec time = {0};

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int compare(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;

    return a < b ? -1 : a > b;
}

static double median_spend_ns(size_t count)
{
    static double turns[TURNS_MAX];

    for (size_t i = 0; i < count; i++) {
        int64_t begun = nanoseconds();

        spend_turn();
        turns[i] = (double)(nanoseconds() - begun) / TURN;
    }
    qsort(turns, count, sizeof(*turns), compare);
    return turns[count / 2];
}

/* How many files the record has, and their bytes. */
static int record_files(int directory, int64_t *bytes_r)
{
    DIR *stream = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const struct dirent *entry;
    struct stat status;
    int count = 0;

    *bytes_r = 0;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        if (strncmp(entry->d_name, "spent-", 6) != 0 ||
            fstatat(directory, entry->d_name, &status, 0) != 0)
            continue;
        *bytes_r += status.st_size;
        count++;
    }
    if (stream != NULL)
        closedir(stream);
    return count;
}

/* The daemon's housekeeping, a second's apart by our clock; the disk is given time to take the head. */
static void tick(int seconds)
{
    for (int i = 0; i < seconds; i++) {
        bench.now.wall_ms += 1000;
        bench.now.boot_ms += 1000;
        spent_store_tick(bench.store, bench.now);
        usleep(2000);
    }
}

static int left_over(int directory)
{
    int64_t bytes;

    tick(3 * STEP_SECONDS);
    for (int attempt = 0; attempt < 500 && record_files(directory, &bytes) > 0; attempt++)
        tick(5);
    return record_files(directory, &bytes);
}

int main(int argc, char **argv)
{
    uint64_t count = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
    size_t turns = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
    int directory = argc == 4 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    const char *incomplete = NULL;
    int64_t bytes = 0;
    double spend_ns;

    if (count == 0 || turns == 0 || turns > TURNS_MAX || directory < 0) {
        fputs("usage: journal-cost DIRECTORY COUNT TURNS\n", stderr);
        return 2;
    }
    bench.now = moment_now();
    for (size_t i = 0; i < TURN; i++)
        bench.waiters[i].resolve = on_outcome;
    bench.store = journal_store_create(directory, bench.now, true, &incomplete);
    while (bench.store != NULL && bench.fresh < count)
        spend_turn();
    if (bench.store == NULL || bench.store->failures > 0) {
        fputs("tokens could not be spent\n", stderr);
        return EXIT_FAILURE;
    }
    spend_ns = median_spend_ns(turns);
    tick(3);
    (void)record_files(directory, &bytes);
    printf("tokens=%" PRIu64 " spend_ns=%.1f record_bytes=%.1f", count, spend_ns,
           (double)bytes / (double)bench.fresh);
    printf(" left_over=%d\n", left_over(directory));
    spent_store_destroy(&bench.store);
    return EXIT_SUCCESS;
}
