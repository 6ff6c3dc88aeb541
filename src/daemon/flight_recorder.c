#include "daemon/flight_recorder.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

/* Histories that share a set; one of them makes way for a new one. */
enum { WAYS = 4, LINE_SIZE = 64 };

/* Who has a history, a cache line of it. */
struct history_set {
    uint64_t users[WAYS]; /* 0: free */
    uint32_t last[WAYS];  /* seconds since the epoch, of the latest record */
    uint8_t counts[WAYS]; /* of records */
    uint8_t rest[12];
};
_Static_assert(sizeof(struct history_set) == LINE_SIZE, "a set is a line");
_Static_assert(2 * sizeof(struct flight_record) == LINE_SIZE, "two records are a line");

/* One user's. */
struct history {
    struct history_set *set;
    size_t way;
    struct flight_record *records; /* in no order */
};

static size_t table_bytes(size_t users)
{
    return users / WAYS * sizeof(struct history_set) +
           users * RECORDER_HISTORY * sizeof(struct flight_record);
}

static int create_table(struct history_table *table, size_t users)
{
    char *memory = calloc(1, table_bytes(users) + LINE_SIZE);

    if (memory == NULL)
        return -1;
    table->memory = memory;
    memory += LINE_SIZE - (uintptr_t)memory % LINE_SIZE;
    table->set_count = users / WAYS;
    table->sets = (struct history_set *)memory;
    table->records = (struct flight_record *)(memory + table->set_count * sizeof(*table->sets));
    return 0;
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
    free(recorder->genuine.memory);
    free(recorder->others.memory);
    *recorder = (struct flight_recorder){.key = {0}};
}

uint64_t flight_recorder_user(const struct flight_recorder *recorder, const char *jid,
                              size_t length)
{
    uint64_t user = siphash(recorder->key, jid, length);

    return user == 0 ? 1 : user;
}

static struct history_set *set_of(const struct history_table *table, uint64_t user)
{
    return &table->sets[user & (table->set_count - 1)];
}

static struct history history_at(const struct history_table *table, struct history_set *set,
                                 size_t way)
{
    size_t place = (size_t)(set - table->sets) * WAYS + way;

    return (struct history){set, way, &table->records[place * RECORDER_HISTORY]};
}

void flight_recorder_prefetch(const struct flight_recorder *recorder, uint64_t user)
{
    __builtin_prefetch(set_of(&recorder->genuine, user), 1);
}

/* The user's place in his set; WAYS: none. */
static size_t way_of(const struct history_set *set, uint64_t user)
{
    size_t way = 0;

    while (way < WAYS && set->users[way] != user)
        way++;
    return way;
}

/* The user's history, or an empty one in the place of the oldest. */
static struct history take(const struct history_table *table, uint64_t user)
{
    struct history_set *set = set_of(table, user);
    size_t way = way_of(set, user);

    if (way < WAYS)
        return history_at(table, set, way);
    way = 0;
    for (size_t i = 1; i < WAYS; i++) {
        if (set->last[i] < set->last[way])
            way = i;
    }
    /* Its records don't count any more, and clearing them would cost more than all the rest. */
    set->users[way] = user;
    set->counts[way] = 0;
    return history_at(table, set, way);
}

static struct flight_record *same_verdict(const struct history *history,
                                          const struct flight_record *record)
{
    for (size_t i = 0; i < history->set->counts[history->way]; i++) {
        struct flight_record *one = &history->records[i];

        if (one->reason == record->reason && one->question == record->question &&
            one->key == record->key)
            return one;
    }
    return NULL;
}

/* A free place, or that of the record that is oldest. */
static struct flight_record *next_place(const struct history *history)
{
    uint8_t *count = &history->set->counts[history->way];
    struct flight_record *oldest = &history->records[0];

    if (*count < RECORDER_HISTORY)
        return &history->records[(*count)++];
    for (size_t i = 1; i < RECORDER_HISTORY; i++) {
        if (history->records[i].last < oldest->last)
            oldest = &history->records[i];
    }
    return oldest;
}

void flight_recorder_add(struct flight_recorder *recorder, uint64_t user,
                         const struct flight_record *record)
{
    struct history history =
        take(record->is_genuine ? &recorder->genuine : &recorder->others, user);
    struct flight_record *place = same_verdict(&history, record);
    struct flight_record renewed = *record;

    renewed.sequence = ++recorder->sequence;
    history.set->last[history.way] = record->last;
    if (place == NULL) {
        place = next_place(&history);
    } else {
        renewed.first = place->first;
        renewed.times = place->times + (place->times < UINT32_MAX);
    }
    *place = renewed;
}

static size_t append(const struct history_table *table, uint64_t user,
                     struct flight_record *records_r)
{
    struct history_set *set = set_of(table, user);
    size_t way = way_of(set, user);
    size_t count = way < WAYS ? set->counts[way] : 0;

    if (count > 0)
        memcpy(records_r, history_at(table, set, way).records, count * sizeof(*records_r));
    return count;
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
        count += table->sets[i / WAYS].users[i % WAYS] != 0;
    return count;
}

struct flight_recorder_usage flight_recorder_usage(const struct flight_recorder *recorder)
{
    return (struct flight_recorder_usage){
        .genuine_users = count_users(&recorder->genuine),
        .other_users = count_users(&recorder->others),
        .bytes = table_bytes(RECORDER_GENUINE_USERS) + table_bytes(RECORDER_OTHER_USERS),
    };
}
