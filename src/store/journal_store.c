#include "store/journal_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/journal.h"

struct journal_store {
    struct spent_store base; /* first: handed out as the store */
    struct journal *journal;
    struct waiter_list waiting; /* spent in this turn, not on record yet */
    struct moment opened;
};

static struct journal_store *of(struct spent_store *store)
{
    return (struct journal_store *)store;
}

static void load_record(void *context, const struct journal_record *record, bool same_boot)
{
    struct journal_store *store = context;

    replay_index_restore(store->base.index,
                         &(struct spend){.id = record->id,
                                         .first_step = record->filing_step,
                                         .filing_step = record->filing_step,
                                         .interval = record->interval,
                                         .window = record->window,
                                         .timeline = record->timeline},
                         store->opened, same_boot ? record->over_boot_ms : INT64_MIN);
}

static enum spend_outcome journal_spend(struct spent_store *base, const struct spend *spend,
                                        struct moment now, struct spend_waiter *waiter)
{
    struct journal_store *store = of(base);
    enum spend_outcome outcome = spent_store_file(base, spend, now);

    if (outcome != SPEND_FRESH)
        return outcome;
    waiter->spend = *spend;
    STAILQ_INSERT_TAIL(&store->waiting, waiter, next);
    return SPEND_PENDING;
}

/* Tells all that wait; what is not on record is not spent, so that it can be tried again. */
static void resolve_all(struct journal_store *store, enum spend_outcome outcome)
{
    while (!STAILQ_EMPTY(&store->waiting)) {
        struct spend_waiter *waiter = STAILQ_FIRST(&store->waiting);

        STAILQ_REMOVE_HEAD(&store->waiting, next);
        if (outcome != SPEND_FRESH) {
            replay_index_forget(store->base.index, &waiter->spend);
            store->base.failures++;
        }
        waiter->resolve(waiter, outcome);
    }
}

/* Encoded here, and not with each spend: what was just written can't be read at once in other
 * portions without waiting for it. */
static int add_all(struct journal_store *store, struct moment now)
{
    const struct spend_waiter *waiter;

    for (waiter = STAILQ_FIRST(&store->waiting); waiter != NULL;
         waiter = STAILQ_NEXT(waiter, next)) {
        const struct spend *spend = &waiter->spend;
        struct journal_record record = {.id = spend->id,
                                        .filing_step = spend->filing_step,
                                        .interval = spend->interval,
                                        .window = spend_kept_window(spend),
                                        .timeline = spend->timeline,
                                        .over_boot_ms = spend_over_boot_ms(spend, now)};

        if (journal_add(store->journal, &record) != 0)
            return -1;
    }
    return 0;
}

static void commit_turn(struct spent_store *base, struct moment now)
{
    struct journal_store *store = of(base);
    bool done;

    if (STAILQ_EMPTY(&store->waiting))
        return;
    done = add_all(store, now) == 0 && journal_commit(store->journal, now) == 0;
    base->failure = done ? NULL : strerror(errno);
    resolve_all(store, done ? SPEND_FRESH : SPEND_FAILED);
}

static void journal_store_tick(struct spent_store *base, struct moment now)
{
    struct journal_store *store = of(base);
    bool dropped = replay_index_drop_old(base->index, now);

    journal_tick(store->journal, base->index, dropped, &base->floor);
}

static void journal_destroy(struct spent_store *base)
{
    struct journal_store *store = of(base);

    resolve_all(store, SPEND_FAILED);
    journal_close(&store->journal, replay_index_closed(base->index), &base->floor);
    replay_index_destroy(&base->index);
    free(store);
}

static struct journal_store *new_store(struct moment now)
{
    static const struct spent_store_operations operations = {.word = "journal",
                                                             .spend = journal_spend,
                                                             .commit = commit_turn,
                                                             .tick = journal_store_tick,
                                                             .destroy = journal_destroy};
    struct journal_store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    store->base.operations = &operations;
    store->opened = now;
    STAILQ_INIT(&store->waiting);
    store->base.index = replay_index_create();
    if (store->base.index != NULL)
        return store;
    free(store);
    return NULL;
}

struct spent_store *journal_store_create(int directory, struct moment now, bool accept,
                                         const char **incomplete_r)
{
    struct journal_store *store = new_store(now);
    const struct journal_head *head;

    if (store == NULL)
        return NULL;
    store->journal = journal_open(directory, now, load_record, store, incomplete_r, &head);
    if (store->journal == NULL) {
        int error = errno;

        replay_index_destroy(&store->base.index);
        free(store);
        errno = error;
        return NULL;
    }
    replay_index_close(store->base.index, &head->closed);
    store->base.accepts_unvouched = accept;
    store->base.floor = head->floor;
    return &store->base;
}
