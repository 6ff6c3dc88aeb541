#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/redis_parts.h"

/* For which a key outlives its windows: clocks differ. */
enum { EXTRA_SECONDS = 60 };

static const char key_prefix[] = "xmpp-authd:spent:";

static struct redis_store *of(struct spent_store *store)
{
    return (struct redis_store *)store;
}

/* --- outcomes */

static void tell(struct redis_store *store, struct spend_waiter *waiter, enum spend_outcome outcome)
{
    /* Redis may have it or not: the next try asks again. */
    if (outcome == SPEND_FAILED || outcome == SPEND_STARTING)
        replay_index_forget(store->base.index, &waiter->spend);
    store->base.failures += outcome == SPEND_FAILED;
    waiter->resolve(waiter, outcome);
}

static void fail_all(struct redis_store *store, struct waiter_list *list)
{
    while (!STAILQ_EMPTY(list)) {
        struct spend_waiter *waiter = STAILQ_FIRST(list);

        STAILQ_REMOVE_HEAD(list, next);
        tell(store, waiter, SPEND_FAILED);
    }
}

void redis_spends_fail_held(struct redis_store *store)
{
    fail_all(store, &store->held);
}

void redis_spends_fail(struct redis_store *store)
{
    fail_all(store, &store->held);
    fail_all(store, &store->sent);
    fail_all(store, &store->recorded);
}

static bool is_overdue(const struct waiter_list *list, int64_t now_boot_ms)
{
    const struct spend_waiter *first = STAILQ_FIRST(list);

    return first != NULL && now_boot_ms - first->since_boot_ms >= REDIS_ANSWER_MS;
}

bool redis_spends_are_overdue(const struct redis_store *store, int64_t now_boot_ms)
{
    return is_overdue(&store->held, now_boot_ms) || is_overdue(&store->sent, now_boot_ms) ||
           is_overdue(&store->recorded, now_boot_ms);
}

/* --- spending */

static enum spend_outcome outcome_of(struct redis_store *store, const redisReply *reply,
                                     const struct spend *spend)
{
    if (reply->type == REDIS_REPLY_NIL)
        return SPEND_REPLAYED;
    if (reply->type != REDIS_REPLY_STATUS || strcmp(reply->str, "OK") != 0) {
        store->base.failure = reply->type == REDIS_REPLY_ERROR ? redis_error_words(reply)
                                                               : "Redis answered with nonsense";
        return SPEND_FAILED;
    }
    if (store->check.refusal != NULL)
        return SPEND_FAILED;
    /* The floor may have risen since the token was filed: what it covers now must not pass. */
    return spent_store_doubts(&store->base, spend) ? SPEND_STARTING : SPEND_FRESH;
}

static void on_set_reply(redisAsyncContext *context, void *data, void *user)
{
    struct redis_store *store = redis_store_of(context);
    struct spend_waiter *waiter = user;
    const redisReply *reply = data;
    enum spend_outcome outcome;

    /* The connection was given up: everybody has been told. */
    if (store == NULL || reply == NULL)
        return;
    outcome = outcome_of(store, reply, &waiter->spend);
    if (outcome != SPEND_FAILED)
        store->base.failure = store->check.refusal;
    STAILQ_REMOVE_HEAD(&store->sent, next);
    if (outcome == SPEND_FRESH && !store->base.accepts_unvouched)
        STAILQ_INSERT_TAIL(&store->recorded, waiter, next);
    else
        tell(store, waiter, outcome);
    /* Another may be the master now, and found at the same address. */
    if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "READONLY", 8) == 0)
        redis_link_drop(store, redis_error_words(reply));
}

/*
 * Replies come in the order of the commands: whoever has been recorded by now was so before the
 * marker was read. If that is there, and the same, nothing was lost up to then. If not, the token
 * may have been spent before, and be among what is gone.
 */
static void on_confirmation(redisAsyncContext *context, void *data, void *user)
{
    struct redis_store *store = redis_store_of(context);
    const redisReply *reply = data;
    bool is_whole;

    (void)user;
    if (store == NULL || reply == NULL)
        return;
    is_whole = redis_check_knows(store, reply);
    if (!is_whole) {
        store->base.failure = "Redis has lost its record of spent tokens";
        if (!store->check.is_out)
            redis_check_send(store);
    }
    while (!STAILQ_EMPTY(&store->recorded)) {
        struct spend_waiter *waiter = STAILQ_FIRST(&store->recorded);
        bool is_fresh = is_whole && store->check.refusal == NULL;

        STAILQ_REMOVE_HEAD(&store->recorded, next);
        if (is_fresh && spent_store_doubts(&store->base, &waiter->spend))
            tell(store, waiter, SPEND_STARTING);
        else
            tell(store, waiter, is_fresh ? SPEND_FRESH : SPEND_FAILED);
    }
}

/* Asks for the marker once for all that was sent in the turn. */
static void redis_commit(struct spent_store *base, struct moment now)
{
    struct redis_store *store = of(base);

    (void)now;
    if (!store->was_sent || store->link.state != LINK_READY)
        return;
    store->was_sent = false;
    if (redis_check_ask_marker(store, on_confirmation) != 0)
        redis_link_drop(store, "the connection to Redis is lost");
}

/* All windows together have 15 minutes, whatever a reload makes of a host's. */
enum { LONGEST_WINDOWS_SECONDS = 900 };

/* Two full windows, or all that a wider one could make of them once it is set, and a little more; and
 * the time between the steps that its OTP is good for. */
static int64_t lifetime_seconds(const struct spend *spend)
{
    int64_t windows = 2 * (2 * (int64_t)spend->window + 1) * (int64_t)spend->interval;
    int64_t between = (spend->filing_step - spend->first_step) * (int64_t)spend->interval;

    if (windows < LONGEST_WINDOWS_SECONDS)
        windows = LONGEST_WINDOWS_SECONDS;
    return windows + between + EXTRA_SECONDS;
}

static bool send_spend(struct redis_store *store, struct spend_waiter *waiter)
{
    const struct spend *spend = &waiter->spend;
    char key[64];
    char seconds[24];

    snprintf(key, sizeof(key), "%s%016" PRIx64 "%016" PRIx64, key_prefix, spend->id.low,
             spend->id.high);
    snprintf(seconds, sizeof(seconds), "%" PRId64, lifetime_seconds(spend));
    store->was_sent |= !store->base.accepts_unvouched;
    return redisAsyncCommand(store->link.context, on_set_reply, waiter, "SET %s 1 NX EX %s", key,
                             seconds) == REDIS_OK;
}

static enum spend_outcome redis_spend(struct spent_store *base, const struct spend *spend,
                                      struct moment now, struct spend_waiter *waiter)
{
    struct redis_store *store = of(base);
    bool is_ready = store->link.state == LINK_READY;
    bool may_wait = is_ready ? store->check.refusal == NULL : store->link.was_ready_or_new;
    enum spend_outcome outcome = spent_store_file(base, spend, now);

    if (outcome != SPEND_FRESH)
        return outcome;
    waiter->spend = *spend;
    waiter->since_boot_ms = now.boot_ms;
    if (may_wait && !is_ready) {
        STAILQ_INSERT_TAIL(&store->held, waiter, next);
        return SPEND_PENDING;
    }
    if (may_wait && send_spend(store, waiter)) {
        STAILQ_INSERT_TAIL(&store->sent, waiter, next);
        return SPEND_PENDING;
    }
    replay_index_forget(base->index, spend);
    return SPEND_FAILED;
}

void redis_spends_send_held(struct redis_store *store)
{
    while (!STAILQ_EMPTY(&store->held)) {
        struct spend_waiter *waiter = STAILQ_FIRST(&store->held);

        STAILQ_REMOVE_HEAD(&store->held, next);
        if (spent_store_doubts(&store->base, &waiter->spend))
            tell(store, waiter, SPEND_STARTING);
        else if (store->check.refusal == NULL && send_spend(store, waiter))
            STAILQ_INSERT_TAIL(&store->sent, waiter, next);
        else
            tell(store, waiter, SPEND_FAILED);
    }
}

/* --- life */

static void redis_tick(struct spent_store *base, struct moment now)
{
    (void)replay_index_drop_old(base->index, now);
}

static void redis_destroy(struct spent_store *base)
{
    struct redis_store *store = of(base);

    redis_link_drop(store, NULL);
    redis_spends_fail(store);
    redis_link_end(store);
    replay_index_destroy(&base->index);
    free(store);
}

struct spent_store *redis_store_create(struct event_base *loop, const struct redis_address *address,
                                       struct accounts *accounts, bool accept)
{
    static const struct spent_store_operations operations = {.word = "redis",
                                                             .spend = redis_spend,
                                                             .commit = redis_commit,
                                                             .tick = redis_tick,
                                                             .destroy = redis_destroy};
    struct redis_store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        return NULL;
    store->base.operations = &operations;
    store->base.accepts_unvouched = accept;
    store->base.index = replay_index_create();
    store->link = (struct redis_link){.loop = loop, .address = address};
    redis_denials_init(&store->denials, accounts);
    STAILQ_INIT(&store->held);
    STAILQ_INIT(&store->sent);
    STAILQ_INIT(&store->recorded);
    if (store->base.index == NULL || redis_link_begin(store) != 0) {
        redis_destroy(&store->base);
        return NULL;
    }
    return &store->base;
}
