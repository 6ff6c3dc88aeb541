#include "daemon/tally.h"

#include <stdlib.h>
#include <string.h>

const int64_t tally_latency_bounds_ns[TALLY_LATENCY_BOUNDS] = {
    1000,     2000,      5000,      10000,     20000,      50000,     100000,
    200000,   500000,    1000000,   2000000,   5000000,    10000000,  20000000,
    50000000, 100000000, 200000000, 500000000, 1000000000, 2000000000};

void tally_init(struct tally *tally)
{
    *tally = (struct tally){0};
}

static void remove_key(struct tally_host *row, struct tally_key *key)
{
    SLIST_REMOVE(&row->all_keys, key, tally_key, next);
    if (key != &row->first_key)
        free(key);
}

static void free_row(struct tally_host *row)
{
    while (!SLIST_EMPTY(&row->all_keys))
        remove_key(row, SLIST_FIRST(&row->all_keys));
    if (row->keys != &row->only_key)
        free(row->keys);
    free(row->rest);
    free(row);
}

void tally_deinit(struct tally *tally)
{
    for (size_t i = 0; i < tally->host_count; i++)
        free_row(tally->hosts[i]);
    free(tally->hosts);
    tally_init(tally);
}

struct tally_host *tally_host_of(const struct tally *tally, const struct host *host)
{
    return host == NULL ? NULL : tally->hosts[host - tally->config->hosts];
}

/* --- following the configuration */

static struct tally_key *add_key(struct tally_host *row, const struct host *host, size_t at,
                                 int64_t seconds, bool in_row)
{
    struct tally_key *key = in_row ? &row->first_key : cache_lines_alloc(sizeof(*key));

    if (key == NULL)
        return NULL;
    key->name = host->key_names[at];
    key->since = seconds;
    key->id = strtoull(host->key_fingerprints[at].text, NULL, 16);
    if (key->id == 0)
        key->id = 1;
    SLIST_INSERT_HEAD(&row->all_keys, key, next);
    return key;
}

/*
 * A row and its keys as a host gets them that was not there before, without the rest; NULL where
 * memory is short. Of one that was there the keys may go over to the former row (renew()): then none
 * of them stands in this one.
 */
static struct tally_host *create_row(const struct host *host, int64_t seconds, bool was_there)
{
    struct tally_host *row = cache_lines_alloc(sizeof(*row));

    if (row == NULL)
        return NULL;
    row->keys = &row->only_key;
    if (host->key_count > 1)
        row->keys = calloc(host->key_count, sizeof(struct tally_key *));
    while (row->keys != NULL && row->key_count < host->key_count) {
        bool in_row = row->key_count == 0 && !was_there;
        struct tally_key *key = add_key(row, host, row->key_count, seconds, in_row);

        if (key == NULL)
            break;
        row->keys[row->key_count++] = key;
    }
    if (row->keys == NULL || row->key_count < host->key_count) {
        free_row(row);
        return NULL;
    }
    return row;
}

struct tally_plan {
    const struct config *next;
    struct tally_host **rows; /* fresh ones, in the order of next; afterwards what is used up */
    size_t row_count;
    size_t *places; /* of each row so far in next; GONE: it has none */
};

static const size_t GONE = SIZE_MAX;

static bool is_followed(const struct tally *tally, const char *name)
{
    return tally->config != NULL &&
           name_table_find(&tally->config->host_table, name, strlen(name)) != NULL;
}

/* First what each verdict takes of them all, so that it lies on few pages. */
static int create_rows(struct tally_plan *plan, const struct tally *tally, int64_t seconds)
{
    while (plan->row_count < plan->next->host_count) {
        const struct host *host = &plan->next->hosts[plan->row_count];
        struct tally_host *row = create_row(host, seconds, is_followed(tally, host->name));

        if (row == NULL)
            return -1;
        plan->rows[plan->row_count++] = row;
    }
    for (size_t i = 0; i < plan->row_count; i++) {
        plan->rows[i]->rest = calloc(1, sizeof(struct tally_rest));
        if (plan->rows[i]->rest == NULL)
            return -1;
        plan->rows[i]->rest->name = plan->next->hosts[i].name;
    }
    return 0;
}

/* Where a row goes on. */
static size_t place_of(const struct config *next, const struct tally_host *row)
{
    const struct host *host =
        name_table_find(&next->host_table, row->rest->name, strlen(row->rest->name));

    return host == NULL ? GONE : (size_t)(host - next->hosts);
}

struct tally_plan *tally_plan_create(const struct tally *tally, const struct config *next,
                                     int64_t seconds)
{
    struct tally_plan *plan = calloc(1, sizeof(*plan));

    if (plan == NULL)
        return NULL;
    plan->next = next;
    plan->rows = calloc(next->host_count + 1, sizeof(struct tally_host *));
    plan->places = calloc(tally->host_count + 1, sizeof(size_t));
    if (plan->rows == NULL || plan->places == NULL || create_rows(plan, tally, seconds) != 0) {
        tally_plan_destroy(&plan);
        return NULL;
    }
    for (size_t i = 0; i < tally->host_count; i++)
        plan->places[i] = place_of(next, tally->hosts[i]);
    return plan;
}

void tally_plan_destroy(struct tally_plan **plan)
{
    struct tally_plan *gone = *plan;

    if (gone == NULL)
        return;
    for (size_t i = 0; i < gone->row_count; i++) {
        if (gone->rows[i] != NULL)
            free_row(gone->rows[i]);
    }
    free(gone->rows);
    free(gone->places);
    free(gone);
    *plan = NULL;
}

/* The row's key that goes on as the wanted one, and has not been taken for another: two sections may
 * hold the same secrets. */
static struct tally_key *same_key(const struct tally_host *row, const struct tally_key *wanted)
{
    struct tally_key *found = NULL;

    for (struct tally_key *key = SLIST_FIRST(&row->all_keys); key != NULL;
         key = SLIST_NEXT(key, next)) {
        if (key->name == NULL || !key->is_removed || key->id != wanted->id)
            continue;
        if (strcmp(key->name, wanted->name) == 0)
            return key;
        found = key;
    }
    return found;
}

/* A pending answer may still note a use of them; they have no name any more. */
static void forget_removed_keys(struct tally_host *row)
{
    struct tally_key *key = SLIST_FIRST(&row->all_keys);

    while (key != NULL) {
        struct tally_key *after = SLIST_NEXT(key, next);

        if (key->is_removed)
            key->name = NULL;
        if (key->is_removed && row->pending == 0)
            remove_key(row, key);
        key = after;
    }
}

/* Gives a row the keys of a fresh one, which gets those of the row: their lists alone, not what is in
 * all_keys. */
static void swap_keys(struct tally_host *row, struct tally_host *fresh)
{
    struct tally_key **list = row->keys == &row->only_key ? &fresh->only_key : row->keys;
    struct tally_key *only = row->only_key;
    size_t count = row->key_count;

    row->keys = fresh->keys == &fresh->only_key ? &row->only_key : fresh->keys;
    row->only_key = fresh->only_key;
    row->key_count = fresh->key_count;
    fresh->keys = list;
    fresh->only_key = only;
    fresh->key_count = count;
}

/* What a row counted goes on in the place of a fresh one, which is used up. Nothing here can fail:
 * whatever memory it takes, the fresh row brings. */
static void renew(struct tally_host *row, struct tally_host *fresh)
{
    struct tally_key *key;

    for (key = SLIST_FIRST(&row->all_keys); key != NULL; key = SLIST_NEXT(key, next))
        key->is_removed = true;
    for (size_t i = 0; i < fresh->key_count; i++) {
        key = same_key(row, fresh->keys[i]);
        if (key != NULL) {
            key->name = fresh->keys[i]->name;
            fresh->keys[i] = key;
        } else {
            key = fresh->keys[i];
            SLIST_REMOVE(&fresh->all_keys, key, tally_key, next);
            SLIST_INSERT_HEAD(&row->all_keys, key, next);
        }
        key->is_removed = false;
    }
    row->rest->name = fresh->rest->name;
    swap_keys(row, fresh);
    forget_removed_keys(row);
}

/* A row whose host is gone: itself where nobody needs it any more, NULL where an answer is to come. */
static struct tally_host *leave(struct tally_host *row)
{
    row->is_removed = true;
    row->rest->name = NULL; /* it is the configuration's that goes */
    return row->pending == 0 ? row : NULL;
}

void tally_follow(struct tally *tally, struct tally_plan *plan)
{
    struct tally_host **former = tally->hosts;
    size_t former_count = tally->host_count;

    tally->hosts = plan->rows;
    tally->host_count = plan->row_count;
    tally->config = plan->next;
    for (size_t i = 0; i < former_count; i++) {
        struct tally_host *row = former[i];
        struct tally_host **place = plan->places[i] == GONE ? NULL : &tally->hosts[plan->places[i]];

        if (place == NULL) {
            former[i] = leave(row);
            continue;
        }
        renew(row, *place);
        former[i] = *place;
        *place = row;
    }
    plan->rows = former;
    plan->row_count = former_count;
}

void tally_prefetch(const struct tally_host *row)
{
    __builtin_prefetch(row, 1);
    __builtin_prefetch(&row->first_key, 1);
}

void tally_hold(struct tally_host *row)
{
    if (row != NULL)
        row->pending++;
}

void tally_release(struct tally_host **row)
{
    struct tally_host *held = *row;

    *row = NULL;
    if (held == NULL || --held->pending > 0)
        return;
    if (held->is_removed)
        free_row(held);
    else
        forget_removed_keys(held);
}

/* --- counting */

void tally_count(struct tally *tally, struct tally_host *row, bool is_user, enum reason reason)
{
    struct tally_counts *counts;

    if (is_user)
        tally->all.is_user[reason]++;
    else
        tally->all.auth[reason]++;
    if (row != NULL && !is_user && reason == REASON_ALLOWED) {
        row->allowed++;
        return;
    }
    counts = row != NULL ? &row->rest->counts : &tally->no_host;
    if (is_user)
        counts->is_user[reason]++;
    else
        counts->auth[reason]++;
}

struct tally_counts tally_counts_of(const struct tally_host *row)
{
    struct tally_counts counts = row->rest->counts;

    counts.auth[REASON_ALLOWED] = row->allowed;
    return counts;
}

void tally_note_genuine(struct tally_key *key, int64_t seconds)
{
    key->last_genuine = seconds;
}

void tally_note_use(struct tally_key *key, int64_t seconds)
{
    key->uses++;
    key->last_use = seconds;
}

void tally_add_latency(struct tally *tally, int64_t nanoseconds, uint64_t count)
{
    struct tally_latency *latency = &tally->latency;
    size_t bucket = 0;

    if (nanoseconds < 0)
        nanoseconds = 0;
    while (bucket < TALLY_LATENCY_BOUNDS && nanoseconds > tally_latency_bounds_ns[bucket])
        bucket++;
    latency->counts[bucket] += count;
    latency->total += count;
    latency->sum_ns += (uint64_t)nanoseconds * count;
}
