#include "store/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fingerprint.h"
#include "store/whole_file.h"

static const char magic[8] = {'x', 'a', 'r', 'e', 'a', 'c', 'h', '1'};
static const char name[] = "reach";
static const char new_name[] = "reach.new";

enum {
    NUMBERS = 1 + 2 * SPEND_TIMELINES + 2 + 1,
    FILE_SIZE = sizeof(magic) + NUMBERS * sizeof(uint64_t)
};

/* For so long after its step begins a token can be good: all windows together have 15 minutes. */
enum { GOOD_AFTER_STEP_MS = 15 * 60 * 1000 };

static int64_t furthest(const int64_t seconds[SPEND_TIMELINES])
{
    int64_t most = 0;

    for (size_t i = 0; i < SPEND_TIMELINES; i++)
        most = seconds[i] > most ? seconds[i] : most;
    return most;
}

/* By the clock that says less: one that runs ahead ends nothing. */
static int64_t elapsed_ms(const struct reach_history *history, struct moment now)
{
    int64_t by_wall = now.wall_ms - history->ended_wall_ms;
    int64_t by_boot = now.boot_ms - history->ended_boot_ms;

    return by_wall < by_boot ? by_wall : by_boot;
}

void reach_forget(struct reach_history *history, struct moment now)
{
    int64_t most = furthest(history->former);

    if (most > 0 && elapsed_ms(history, now) > most * 1000 + GOOD_AFTER_STEP_MS)
        memset(history->former, 0, sizeof(history->former));
}

bool reach_follow(struct reach_history *history, const struct reach *next, struct moment now)
{
    if (memcmp(&history->current, next, sizeof(*next)) == 0)
        return false;
    reach_forget(history, now);
    for (size_t i = 0; i < SPEND_TIMELINES; i++) {
        if (history->current.seconds[i] > history->former[i])
            history->former[i] = history->current.seconds[i];
    }
    history->ended_wall_ms = now.wall_ms;
    history->ended_boot_ms = now.boot_ms;
    history->current = *next;
    return true;
}

/* --- the file */

static void encode(const struct reach_history *history, uint8_t bytes[FILE_SIZE])
{
    uint8_t *at = bytes + sizeof(magic);

    memcpy(bytes, magic, sizeof(magic));
    at = put_u64(at, history->current.settings);
    for (size_t i = 0; i < SPEND_TIMELINES; i++) {
        at = put_u64(at, (uint64_t)history->current.seconds[i]);
        at = put_u64(at, (uint64_t)history->former[i]);
    }
    at = put_u64(at, (uint64_t)history->ended_wall_ms);
    at = put_u64(at, (uint64_t)history->ended_boot_ms);
    put_u64(at, fingerprint(FINGERPRINT_SEED, bytes, (size_t)(at - bytes)));
}

static const uint8_t *take_i64(const uint8_t *at, int64_t *value_r)
{
    uint64_t value;

    at = take_u64(at, &value);
    *value_r = (int64_t)value;
    return at;
}

static int decode(const uint8_t bytes[FILE_SIZE], struct reach_history *history_r)
{
    const uint8_t *at = take_u64(bytes + sizeof(magic), &history_r->current.settings);
    uint64_t sum;

    for (size_t i = 0; i < SPEND_TIMELINES; i++) {
        at = take_i64(at, &history_r->current.seconds[i]);
        at = take_i64(at, &history_r->former[i]);
    }
    at = take_i64(at, &history_r->ended_wall_ms);
    at = take_i64(at, &history_r->ended_boot_ms);
    take_u64(at, &sum);
    return memcmp(bytes, magic, sizeof(magic)) == 0 &&
                   sum == fingerprint(FINGERPRINT_SEED, bytes, (size_t)(at - bytes))
               ? 0
               : -1;
}

/* A boot clock that shows less than then is another boot's: the wall clock alone can tell. */
static void carry_end(struct reach_history *history, struct moment now)
{
    int64_t elapsed = now.wall_ms - history->ended_wall_ms;

    if (now.boot_ms < history->ended_boot_ms)
        history->ended_boot_ms = now.boot_ms - (elapsed > 0 ? elapsed : 0);
}

static void suppose_the_furthest(struct reach_history *history, const struct reach *current,
                                 struct moment now)
{
    *history = (struct reach_history){
        .current = *current, .ended_wall_ms = now.wall_ms, .ended_boot_ms = now.boot_ms};
    for (size_t i = 0; i < SPEND_TIMELINES; i++)
        history->former[i] = REACH_MAX;
}

int reach_begin(struct reach_history *history_r, int directory, const struct reach *current,
                struct moment now)
{
    uint8_t bytes[FILE_SIZE + 1];
    ssize_t size = whole_file_read(directory, name, bytes, sizeof(bytes));

    *history_r = (struct reach_history){.current = *current};
    if (size == FILE_SIZE && decode(bytes, history_r) == 0)
        carry_end(history_r, now);
    else if (size >= 0 || errno != ENOENT)
        suppose_the_furthest(history_r, current, now);
    (void)reach_follow(history_r, current, now);
    encode(history_r, bytes);
    if (whole_file_write(directory, new_name, bytes, FILE_SIZE, true) != 0 ||
        renameat(directory, new_name, directory, name) != 0)
        return -1;
    return fsync(directory);
}

int reach_write(const struct reach_history *history, int directory)
{
    uint8_t bytes[FILE_SIZE];

    encode(history, bytes);
    return whole_file_write(directory, new_name, bytes, FILE_SIZE, false) == 0
               ? renameat(directory, new_name, directory, name)
               : -1;
}
