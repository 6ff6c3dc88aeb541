#include <stdlib.h>

#include "store/spent_store.h"

static enum spend_outcome memory_spend(struct spent_store *store, const struct spend *spend,
                                       struct moment now, struct spend_waiter *waiter)
{
    (void)waiter;
    return spent_store_file(store, spend, now);
}

static void memory_tick(struct spent_store *store, struct moment now)
{
    (void)replay_index_drop_old(store->index, now);
}

static void memory_destroy(struct spent_store *store)
{
    replay_index_destroy(&store->index);
    free(store);
}

struct spent_store *memory_store_create(struct moment start, bool accept)
{
    static const struct spent_store_operations operations = {
        .word = "memory", .spend = memory_spend, .tick = memory_tick, .destroy = memory_destroy};
    struct spent_store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    store->operations = &operations;
    store->index = replay_index_create();
    if (store->index == NULL) {
        free(store);
        return NULL;
    }
    store->accepts_unvouched = accept;
    start_floor_set(&store->floor, start);
    return store;
}
