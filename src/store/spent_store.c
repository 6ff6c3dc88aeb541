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
    store->operations->tick(store, now);
}

void spent_store_destroy(struct spent_store **store)
{
    if (*store == NULL)
        return;
    (*store)->operations->destroy(*store);
    *store = NULL;
}

int64_t spent_store_opens(const struct spent_store *store, unsigned interval, unsigned window,
                          struct moment now)
{
    int64_t opens = start_floor_opens(&store->floor, interval, window);

    if (!store->floor.active || store->accepts_unvouched || opens <= moment_seconds(now))
        return 0;
    return opens;
}

enum spend_outcome spent_store_file(struct spent_store *store, const struct spend *spend,
                                    struct moment now)
{
    start_floor_observe(&store->floor, now);
    if (!store->accepts_unvouched &&
        start_floor_covers(&store->floor, spend->first_step, spend->interval, spend->window))
        return SPEND_STARTING;
    return replay_index_spend(store->index, spend, now);
}
