#include "store/redis_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hiredis/adapters/libevent.h>
#include <hiredis/async.h>

#include "store/redis_denials.h"
#include "store/redis_record.h"

enum {
    ANSWER_MS = 1500, /* for one question to Redis, so that ours is answered within 2 s */
    RETRY_MS = 200,   /* between attempts to connect */
    CHECK_MS = 2000,  /* between looks at INFO */
    CLOCK_TOLERANCE_MS = 30 * 1000,
    EXTRA_SECONDS = 60 /* for which a key outlives its windows: clocks differ */
};

static const char marker_key[] = "xmpp-authd:record";
static const char key_prefix[] = "xmpp-authd:spent:";

enum link_state {
    LINK_DOWN,       /* no connection; tried again when it is time */
    LINK_CONNECTING, /* asked for, not there yet */
    LINK_CHECKING,   /* there; whether the record is whole is being found out */
    LINK_READY       /* spends go through */
};

struct redis_store {
    struct spent_store base; /* first: handed out as the store */
    struct event_base *loop;
    const struct redis_address *address;
    struct event *watch;
    redisAsyncContext *context;
    enum link_state state;
    int64_t since_boot_ms; /* of the state; or when the last check was sent */
    bool check_is_out;
    int64_t check_sent_boot_ms;
    const char *refusal;        /* connected, and yet nothing may be accepted: why */
    bool was_ready_or_new;      /* no outage yet: spends may wait for the connection */
    struct waiter_list held;    /* waiting for the connection */
    struct waiter_list sent;    /* waiting for Redis' answer, in the order of sending */
    struct redis_identity seen; /* by the check on its way */
    int64_t server_wall_ms;
    struct redis_denials denials;
    uint64_t merged_before; /* denials, before this connection */
};

static struct redis_store *of(struct spent_store *store)
{
    return (struct redis_store *)store;
}

static struct redis_store *of_context(const redisAsyncContext *context)
{
    return context->data;
}

/* --- outcomes
 * ------------------------------------------------------------------------------------------------------
 */

static void tell(struct redis_store *store, struct spend_waiter *waiter, enum spend_outcome outcome)
{
    if (outcome == SPEND_FAILED) {
        /* Redis may have it or not: the next try asks again. */
        replay_index_forget(store->base.index, &waiter->spend);
        store->base.failures++;
    }
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

static void set_state(struct redis_store *store, enum link_state state)
{
    store->state = state;
    store->since_boot_ms = moment_now().boot_ms;
}

static void on_link_lost(struct redis_store *store, const char *why)
{
    store->context = NULL;
    store->check_is_out = false;
    store->was_ready_or_new = false;
    store->base.failure = why;
    set_state(store, LINK_DOWN);
    fail_all(store, &store->held);
    fail_all(store, &store->sent);
}

/* Ends the connection; Redis' answers that are still on their way are not waited for. */
static void drop_link(struct redis_store *store, const char *why)
{
    redisAsyncContext *context = store->context;

    if (context == NULL)
        return;
    on_link_lost(store, why);
    context->data = NULL;
    redisAsyncFree(context);
}

/* --- spending
 * ------------------------------------------------------------------------------------------------------
 */

/* The words of Redis' error, without anything of ours in it: its first word. */
static const char *describe_error(const redisReply *reply)
{
    static const struct {
        const char *code, *words;
    } known[] = {
        {"OOM", "Redis is out of memory"},
        {"READONLY", "Redis is a read-only replica"},
        {"LOADING", "Redis is loading its data"},
        {"MISCONF", "Redis can't persist and refuses writes"},
        {"NOAUTH", "Redis wants a password"},
        {"WRONGPASS", "Redis refuses the password"},
        {"NOPERM", "Redis' access rules forbid it"},
        {"NOREPLICAS", "Redis has too few replicas"},
        {"MASTERDOWN", "Redis has lost its master"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strncmp(reply->str, known[i].code, strlen(known[i].code)) == 0)
            return known[i].words;
    }
    return "Redis answered with an error";
}

static enum spend_outcome outcome_of(struct redis_store *store, const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0)
        return SPEND_FRESH;
    if (reply->type == REDIS_REPLY_NIL)
        return SPEND_REPLAYED;
    store->base.failure =
        reply->type == REDIS_REPLY_ERROR ? describe_error(reply) : "Redis answered with nonsense";
    return SPEND_FAILED;
}

static void on_set_reply(redisAsyncContext *context, void *reply, void *data)
{
    struct redis_store *store = of_context(context);
    struct spend_waiter *waiter = data;
    enum spend_outcome outcome;

    /* The connection was lost: on_link_lost() has told everybody. */
    if (store == NULL || reply == NULL)
        return;
    outcome = outcome_of(store, reply);
    if (outcome != SPEND_FAILED)
        store->base.failure = store->refusal;
    STAILQ_REMOVE_HEAD(&store->sent, next);
    tell(store, waiter, outcome);
}

static bool send_spend(struct redis_store *store, struct spend_waiter *waiter)
{
    const struct spend *spend = &waiter->spend;
    int64_t lifetime =
        2 * (2 * (int64_t)spend->window + 1) * (int64_t)spend->interval + EXTRA_SECONDS;
    char key[64];
    char seconds[24];

    snprintf(key, sizeof(key), "%s%016" PRIx64 "%016" PRIx64, key_prefix, spend->id.low,
             spend->id.high);
    snprintf(seconds, sizeof(seconds), "%" PRId64, lifetime);
    return redisAsyncCommand(store->context, on_set_reply, waiter, "SET %s 1 NX EX %s", key,
                             seconds) == REDIS_OK;
}

static enum spend_outcome redis_spend(struct spent_store *base, const struct spend *spend,
                                      struct moment now, struct spend_waiter *waiter)
{
    struct redis_store *store = of(base);
    bool may_wait = store->state == LINK_READY ? store->refusal == NULL : store->was_ready_or_new;
    enum spend_outcome outcome = spent_store_file(base, spend, now);

    if (outcome != SPEND_FRESH)
        return outcome;
    waiter->spend = *spend;
    waiter->since_boot_ms = now.boot_ms;
    if (may_wait && store->state != LINK_READY) {
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

static void send_held(struct redis_store *store)
{
    while (!STAILQ_EMPTY(&store->held)) {
        struct spend_waiter *waiter = STAILQ_FIRST(&store->held);

        STAILQ_REMOVE_HEAD(&store->held, next);
        /* What the floor covers since it was filed must not pass. */
        if (!store->base.accepts_unvouched &&
            start_floor_covers(&store->base.floor, waiter->spend.first_step, waiter->spend.interval,
                               waiter->spend.window)) {
            replay_index_forget(store->base.index, &waiter->spend);
            waiter->resolve(waiter, SPEND_STARTING);
        } else if (store->refusal == NULL && send_spend(store, waiter)) {
            STAILQ_INSERT_TAIL(&store->sent, waiter, next);
        } else {
            tell(store, waiter, SPEND_FAILED);
        }
    }
}

/* --- is the record whole?
 * ------------------------------------------------------------------------------------------ */

static void raise_floor(struct redis_store *store, int64_t wall_ms, struct moment now)
{
    if (!store->base.floor.active || wall_ms > store->base.floor.start_wall_ms)
        store->base.floor =
            (struct start_floor){.active = true,
                                 .start_wall_ms = wall_ms,
                                 .start_boot_ms = now.boot_ms - (now.wall_ms - wall_ms)};
}

/* A loss before now, on whichever side's clock is later. Whoever connects after us is to know of
 * it. */
static void begin_anew(struct redis_store *store, struct moment now)
{
    struct redis_marker marker = {.identity = store->seen};
    char text[REDIS_MARKER_SIZE];

    marker.floor_wall_ms =
        store->server_wall_ms > now.wall_ms ? store->server_wall_ms : now.wall_ms;
    raise_floor(store, marker.floor_wall_ms, now);
    redis_marker_format(&marker, text);
    /* Where this is lost, the next check finds the marker wrong again. */
    (void)redisAsyncCommand(store->context, NULL, NULL, "SET %s %s", marker_key, text);
}

static void judge_record(struct redis_store *store, const redisReply *reply, struct moment now)
{
    struct redis_marker marker = {0};
    bool marked = reply->type == REDIS_REPLY_STRING &&
                  redis_marker_parse(reply->str, reply->len, &marker) &&
                  redis_identity_equal(&marker.identity, &store->seen);

    /* Whoever wrote the marker saw this run of the server first, and set the floor for what was
     * lost before. */
    if (marked)
        raise_floor(store, marker.floor_wall_ms, now);
    else
        begin_anew(store, now);
}

static void on_marker_reply(redisAsyncContext *context, void *data, void *unused)
{
    struct redis_store *store = of_context(context);
    const redisReply *reply = data;

    (void)unused;
    if (store == NULL || reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        drop_link(store, describe_error(reply));
        return;
    }
    if (store->denials.failure != NULL) {
        drop_link(store, store->denials.failure);
        return;
    }
    store->check_is_out = false;
    judge_record(store, reply, moment_now());
    store->base.failure = store->refusal;
    if (store->state != LINK_READY) {
        set_state(store, LINK_READY);
        store->was_ready_or_new = true;
        /* They were judged by what was known of denied users then. */
        if (store->denials.merged != store->merged_before)
            fail_all(store, &store->held);
        send_held(store);
    }
}

static void on_info_reply(redisAsyncContext *context, void *data, void *unused)
{
    struct redis_store *store = of_context(context);
    const redisReply *reply = data;
    bool policy_is_safe;

    (void)unused;
    if (store == NULL || reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        drop_link(store, describe_error(reply));
    } else if (reply->type != REDIS_REPLY_STRING ||
               !redis_info_parse(reply->str, reply->len, &store->seen, &policy_is_safe)) {
        drop_link(store, "Redis' INFO lacks what is needed");
    } else if (!policy_is_safe && store->refusal == NULL) {
        store->refusal = "Redis' maxmemory-policy is not noeviction: it may forget spent tokens";
    }
}

static void on_time_reply(redisAsyncContext *context, void *data, void *unused)
{
    struct redis_store *store = of_context(context);
    const redisReply *reply = data;
    int64_t now_ms = moment_now().wall_ms;

    (void)unused;
    if (store == NULL || reply == NULL)
        return;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        drop_link(store, reply->type == REDIS_REPLY_ERROR ? describe_error(reply)
                                                          : "Redis' TIME is nonsense");
        return;
    }
    store->server_wall_ms = strtoll(reply->element[0]->str, NULL, 10) * 1000 +
                            strtoll(reply->element[1]->str, NULL, 10) / 1000;
    store->refusal = llabs(store->server_wall_ms - now_ms) > CLOCK_TOLERANCE_MS
                         ? "this clock and Redis' differ by more than 30 s"
                         : NULL;
}

static void send_check(struct redis_store *store)
{
    redisAsyncContext *context = store->context;

    store->check_is_out = true;
    store->check_sent_boot_ms = moment_now().boot_ms;
    if (redisAsyncCommand(context, on_time_reply, NULL, "TIME") != REDIS_OK ||
        redisAsyncCommand(context, on_info_reply, NULL, "INFO") != REDIS_OK ||
        redisAsyncCommand(context, on_marker_reply, NULL, "GET %s", marker_key) != REDIS_OK)
        drop_link(store, "the connection to Redis is lost");
}

/* --- the connection
 * ------------------------------------------------------------------------------------------------
 */

static void on_login_reply(redisAsyncContext *context, void *data, void *unused)
{
    struct redis_store *store = of_context(context);
    const redisReply *reply = data;

    (void)unused;
    if (store != NULL && reply != NULL && reply->type == REDIS_REPLY_ERROR)
        drop_link(store, describe_error(reply));
}

static void on_connected(const redisAsyncContext *context, int status)
{
    struct redis_store *store = of_context(context);

    if (store == NULL)
        return;
    if (status != REDIS_OK) {
        on_link_lost(store, "Redis can't be reached");
        return;
    }
    set_state(store, LINK_CHECKING);
    if (store->address->password != NULL)
        (void)redisAsyncCommand(store->context, on_login_reply, NULL, "AUTH %s",
                                store->address->password);
    if (store->address->database != 0)
        (void)redisAsyncCommand(store->context, on_login_reply, NULL, "SELECT %d",
                                store->address->database);
    store->merged_before = store->denials.merged;
    /* In front of the check, so that nobody is let in before it is known who is denied. */
    if (redis_denials_begin(&store->denials, store->context) != 0)
        drop_link(store, "the connection to Redis is lost");
    else
        send_check(store);
}

static void on_disconnected(const redisAsyncContext *context, int status)
{
    struct redis_store *store = of_context(context);

    (void)status;
    if (store != NULL)
        on_link_lost(store, "the connection to Redis is lost");
}

static void start_connecting(struct redis_store *store)
{
    const struct redis_address *address = store->address;
    redisAsyncContext *context = address->host != NULL
                                     ? redisAsyncConnect(address->host, address->port)
                                     : redisAsyncConnectUnix(address->path);

    if (context == NULL || context->err != 0 ||
        redisLibeventAttach(context, store->loop) != REDIS_OK) {
        if (context != NULL)
            redisAsyncFree(context);
        on_link_lost(store, "Redis can't be reached");
        return;
    }
    context->data = store;
    store->context = context;
    set_state(store, LINK_CONNECTING);
    (void)redisAsyncSetConnectCallback(context, on_connected);
    (void)redisAsyncSetDisconnectCallback(context, on_disconnected);
}

static bool is_overdue(const struct waiter_list *list, int64_t now_boot_ms)
{
    const struct spend_waiter *first = STAILQ_FIRST(list);

    return first != NULL && now_boot_ms - first->since_boot_ms >= ANSWER_MS;
}

static void on_watch(evutil_socket_t descriptor, short events, void *context)
{
    struct redis_store *store = context;
    int64_t now = moment_now().boot_ms;
    bool check_is_overdue = store->check_is_out && now - store->check_sent_boot_ms >= ANSWER_MS;

    (void)descriptor;
    (void)events;
    if (is_overdue(&store->held, now) || is_overdue(&store->sent, now) || check_is_overdue ||
        (store->state == LINK_CONNECTING && now - store->since_boot_ms >= ANSWER_MS))
        drop_link(store, "Redis does not answer in time");
    if (store->state == LINK_DOWN && now - store->since_boot_ms >= RETRY_MS)
        start_connecting(store);
    else if (store->state == LINK_READY && !store->check_is_out &&
             now - store->check_sent_boot_ms >= CHECK_MS)
        send_check(store);
    if (store->state == LINK_READY)
        redis_denials_poll(&store->denials, store->context, now);
}

static void redis_tick(struct spent_store *base, struct moment now)
{
    (void)replay_index_drop_old(base->index, now);
}

static void redis_destroy(struct spent_store *base)
{
    struct redis_store *store = of(base);

    drop_link(store, NULL);
    fail_all(store, &store->held);
    if (store->watch != NULL)
        event_free(store->watch);
    replay_index_destroy(&base->index);
    free(store);
}

struct spent_store *redis_store_create(struct event_base *loop, const struct redis_address *address,
                                       struct accounts *accounts, struct moment now, bool accept)
{
    static const struct spent_store_operations operations = {
        .word = "redis", .spend = redis_spend, .tick = redis_tick, .destroy = redis_destroy};
    static const struct timeval interval = {.tv_usec = 100000};
    struct redis_store *store = calloc(1, sizeof(*store));

    (void)now;
    if (store == NULL)
        return NULL;
    store->base.operations = &operations;
    store->base.accepts_unvouched = accept;
    store->base.index = replay_index_create();
    store->loop = loop;
    store->address = address;
    store->was_ready_or_new = true;
    redis_denials_init(&store->denials, accounts);
    STAILQ_INIT(&store->held);
    STAILQ_INIT(&store->sent);
    store->watch = event_new(loop, -1, EV_PERSIST, on_watch, store);
    if (store->base.index == NULL || store->watch == NULL ||
        event_add(store->watch, &interval) != 0) {
        redis_destroy(&store->base);
        return NULL;
    }
    start_connecting(store);
    store->was_ready_or_new = true;
    return &store->base;
}
