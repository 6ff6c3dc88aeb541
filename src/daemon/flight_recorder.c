#include "daemon/flight_recorder.h"

#include <stdlib.h>

#include <openssl/rand.h>

/* Histories that share a place; one of them makes way for a new one. */
enum { WAYS = 4 };

struct user_history {
    uint64_t user; /* 0: free */
    uint32_t last; /* of its latest record */
    uint32_t count;
    struct flight_record records[RECORDER_HISTORY]; /* in no order */
};

static int create_table(struct history_table *table, size_t users)
{
    table->set_count = users / WAYS;
    table->histories = calloc(users, sizeof(*table->histories));
    return table->histories == NULL ? -1 : 0;
}

int flight_recorder_init(struct flight_recorder *recorder)
{
    *recorder = (struct flight_recorder){.key = {0}};
    if (create_table(&recorder->genuine, RECORDER_GENUINE_USERS) != 0 ||
        create_table(&recorder->others, RECORDER_OTHER_USERS) != 0)
        return -1;
    return RAND_bytes(recorder->key, sizeof(recorder->key)) == 1 ? 0 : -1;
}

void flight_recorder_deinit(struct flight_recorder *recorder)
{
    free(recorder->genuine.histories);
    free(recorder->others.histories);
    *recorder = (struct flight_recorder){.key = {0}};
}

uint64_t flight_recorder_user(const struct flight_recorder *recorder, const char *jid,
                              size_t length)
{
    uint64_t user = siphash(recorder->key, jid, length);

    return user == 0 ? 1 : user;
}

static struct user_history *set_of(const struct history_table *table, uint64_t user)
{
    return &table->histories[(user & (table->set_count - 1)) * WAYS];
}

void flight_recorder_prefetch(const struct flight_recorder *recorder, uint64_t user)
{
    const struct user_history *set = set_of(&recorder->genuine, user);

    for (size_t i = 0; i < WAYS; i++)
        __builtin_prefetch(&set[i], 1);
}

static const struct user_history *find(const struct history_table *table, uint64_t user)
{
    const struct user_history *set = set_of(table, user);

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].user == user)
            return &set[i];
    }
    return NULL;
}

/* The user's history, or an empty one in the place of the oldest. */
static struct user_history *take(struct history_table *table, uint64_t user)
{
    struct user_history *set = set_of(table, user);
    struct user_history *oldest = set;

    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].user == user)
            return &set[i];
        if (set[i].last < oldest->last)
            oldest = &set[i];
    }
    /* Its records don't count any more, and clearing them would cost more than all the rest. */
    oldest->user = user;
    oldest->last = 0;
    oldest->count = 0;
    return oldest;
}

static struct flight_record *same_verdict(struct user_history *history,
                                          const struct flight_record *record)
{
    for (size_t i = 0; i < history->count; i++) {
        struct flight_record *one = &history->records[i];

        if (one->reason == record->reason && one->question == record->question &&
            one->key == record->key)
            return one;
    }
    return NULL;
}

/* A free place, or that of the record that is oldest. */
static struct flight_record *next_place(struct user_history *history)
{
    struct flight_record *oldest = &history->records[0];

    if (history->count < RECORDER_HISTORY)
        return &history->records[history->count++];
    for (size_t i = 1; i < history->count; i++) {
        if (history->records[i].last < oldest->last)
            oldest = &history->records[i];
    }
    return oldest;
}

void flight_recorder_add(struct flight_recorder *recorder, uint64_t user,
                         const struct flight_record *record)
{
    struct user_history *history =
        take(record->is_genuine ? &recorder->genuine : &recorder->others, user);
    struct flight_record *place = same_verdict(history, record);
    struct flight_record renewed = *record;

    renewed.sequence = ++recorder->sequence;
    history->last = record->last;
    if (place == NULL) {
        place = next_place(history);
    } else {
        renewed.first = place->first;
        renewed.times = place->times + (place->times < UINT32_MAX);
    }
    *place = renewed;
}

static size_t append(const struct history_table *table, uint64_t user,
                     struct flight_record *records_r)
{
    const struct user_history *history = find(table, user);

    for (size_t i = 0; history != NULL && i < history->count; i++)
        records_r[i] = history->records[i];
    return history == NULL ? 0 : history->count;
}

static int latest_first(const void *left, const void *right)
{
    const struct flight_record *one = left;
    const struct flight_record *other = right;

    /* By their difference, for the sequence starts again some day. */
    return (int32_t)(other->sequence - one->sequence) > 0 ? 1 : -1;
}

size_t flight_recorder_read(const struct flight_recorder *recorder, uint64_t user,
                            struct flight_record records_r[RECORDER_READ_MAX])
{
    size_t count = append(&recorder->genuine, user, records_r);

    count += append(&recorder->others, user, records_r + count);
    qsort(records_r, count, sizeof(*records_r), latest_first);
    return count;
}

static size_t count_users(const struct history_table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < table->set_count * WAYS; i++)
        count += table->histories[i].user != 0;
    return count;
}

struct flight_recorder_usage flight_recorder_usage(const struct flight_recorder *recorder)
{
    return (struct flight_recorder_usage){
        .genuine_users = count_users(&recorder->genuine),
        .other_users = count_users(&recorder->others),
        .bytes = (RECORDER_GENUINE_USERS + RECORDER_OTHER_USERS) * sizeof(struct user_history),
    };
}
