#include "store/spent_store.h"

enum spend_outcome spent_store_spend(struct spent_store *store, const struct spend *spend,
                                     struct moment now, struct spend_waiter *waiter)
{
    enum spend_outcome outcome = SPEND_FAILED;

    if (store->suspended == NULL)
        outcome = store->operations->spend(store, spend, now, waiter);
    store->failures += outcome == SPEND_FAILED;
    return outcome;
}

void spent_store_suspend(struct spent_store *store, const char *why)
{
    if (why != NULL || store->suspended != NULL)
        store->failure = why;
    store->suspended = why;
}

void spent_store_commit(struct spent_store *store, struct moment now)
{
    if (store->operations->commit != NULL)
        store->operations->commit(store, now);
}

void spent_store_tick(struct spent_store *store, struct moment now)
{
    start_floor_observe(&store->floor, now);
    reach_forget(&store->reach, now);
    if (store->reach_is_unwritten)
        store->reach_is_unwritten = reach_write(&store->reach, store->reach_directory) != 0;
    store->operations->tick(store, now);
}

void spent_store_destroy(struct spent_store **store)
{
    if (*store == NULL)
        return;
    (*store)->operations->destroy(*store);
    *store = NULL;
}

int spent_store_begin_reach(struct spent_store *store, int directory, const struct reach *reach,
                            struct moment now)
{
    store->reach = (struct reach_history){.current = *reach};
    store->reach_directory = directory;
    return directory < 0 ? 0 : reach_begin(&store->reach, directory, reach, now);
}

void spent_store_follow_reach(struct spent_store *store, const struct reach *reach,
                              struct moment now)
{
    if (reach_follow(&store->reach, reach, now))
        store->reach_is_unwritten = store->reach_directory >= 0;
}

/* The steps before its own in which such a token may have been spent: more than its window where
 * settings that were in force not long ago reached further. */
static unsigned doubted_window(const struct spent_store *store, const struct spend *spend)
{
    int64_t beyond = store->reach.former[spend->timeline] - (int64_t)spend->reach;

    if (beyond <= 0)
        return spend->window;
    return spend->window + ((unsigned)beyond + spend->interval - 1) / spend->interval;
}

bool spent_store_doubts(const struct spent_store *store, const struct spend *spend)
{
    return !store->accepts_unvouched &&
           start_floor_covers(&store->floor, spend->first_step, spend->interval,
                              doubted_window(store, spend));
}

int64_t spent_store_opens(const struct spent_store *store, const struct spend *kind,
                          struct moment now)
{
    int64_t opens = start_floor_opens(&store->floor, kind->interval, doubted_window(store, kind));

    if (!store->floor.active || store->accepts_unvouched || opens <= moment_seconds(now))
        return 0;
    return opens;
}

enum spend_outcome spent_store_file(struct spent_store *store, const struct spend *spend,
                                    struct moment now)
{
    start_floor_observe(&store->floor, now);
    if (spent_store_doubts(store, spend))
        return SPEND_STARTING;
    return replay_index_spend(store->index, spend, now);
}
