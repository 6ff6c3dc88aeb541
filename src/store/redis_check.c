#include <stdlib.h>
#include <string.h>

#include "store/redis_parts.h"

enum {
    CHECK_MS = 2000, /* between looks at INFO */
    CLOCK_TOLERANCE_MS = 30 * 1000
};

static const char marker_key[] = "xmpp-authd:record";

/* --- the floor */

static void raise_floor(struct start_floor *floor, int64_t wall_ms, struct moment now)
{
    if (!floor->active || wall_ms > floor->start_wall_ms)
        *floor = (struct start_floor){.active = true,
                                      .start_wall_ms = wall_ms,
                                      .start_boot_ms = now.boot_ms - (now.wall_ms - wall_ms)};
}

/*
 * What was spent before the loss may be of a step that is yet to come by our clock and by Redis':
 * another daemon's may be so much ahead of Redis', and its minter's with it.
 */
static int64_t loss_wall_ms(const struct redis_check *check, struct moment now)
{
    int64_t wall_ms = check->server_wall_ms > now.wall_ms ? check->server_wall_ms : now.wall_ms;

    if (check->lost_wall_ms != 0)
        wall_ms = check->lost_wall_ms;
    return wall_ms + CLOCK_TOLERANCE_MS;
}

/* Whoever connects after us is to know of the loss. */
static void begin_anew(struct redis_store *store, struct moment now)
{
    struct redis_check *check = &store->check;
    struct redis_marker marker = {.identity = check->seen,
                                  .floor_wall_ms = loss_wall_ms(check, now)};
    char text[REDIS_MARKER_SIZE];

    raise_floor(&store->base.floor, marker.floor_wall_ms, now);
    redis_marker_format(&marker, text);
    memcpy(check->marker, text, sizeof(text));
    /* Where this is lost, the next check finds the marker wrong again. */
    (void)redisAsyncCommand(store->link.context, NULL, NULL, "SET %s %s", marker_key, text);
    check->is_lost = false;
    check->lost_wall_ms = 0;
}

static void judge_record(struct redis_store *store, const redisReply *reply, struct moment now)
{
    struct redis_marker marker = {0};
    bool is_marked = reply->type == REDIS_REPLY_STRING &&
                     redis_marker_parse(reply->str, reply->len, &marker) &&
                     redis_identity_equal(&marker.identity, &store->check.seen);

    /* Whoever wrote the marker saw this run of the server first, and set the floor for what was
     * lost before. */
    store->check.marker[0] = '\0';
    if (is_marked) {
        raise_floor(&store->base.floor, marker.floor_wall_ms, now);
        redis_marker_format(&marker, store->check.marker);
    }
    store->check.is_lost |= !is_marked;
    /* Nothing is accepted while there is a refusal; and which clock is wrong is not known: a floor
     * set by it might stand for days. */
    if (store->check.is_lost && store->check.refusal == NULL)
        begin_anew(store, now);
}

/* --- the replies, in the order of asking */

/* Keys expire by Redis' clock: where that is set forward, before their time. */
static void watch_clock(struct redis_check *check, struct moment now)
{
    int64_t expected_ms;

    if (redis_clock_observe(&check->clock, check->server_wall_ms, now.boot_ms, CLOCK_TOLERANCE_MS,
                            &expected_ms))
        return;
    check->lost_wall_ms = check->is_lost ? check->lost_wall_ms : expected_ms;
    check->is_lost = true;
}

static void on_time_reply(redisAsyncContext *context, void *data, void *user)
{
    struct redis_store *store = redis_store_of(context);
    const redisReply *reply = data;
    struct moment now = moment_now();
    struct redis_check *check;

    (void)user;
    if (store == NULL || reply == NULL)
        return;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
        reply->element[0]->type != REDIS_REPLY_STRING ||
        reply->element[1]->type != REDIS_REPLY_STRING) {
        redis_link_drop(store, reply->type == REDIS_REPLY_ERROR ? redis_error_words(reply)
                                                                : "Redis' TIME is nonsense");
        return;
    }
    check = &store->check;
    check->server_wall_ms = strtoll(reply->element[0]->str, NULL, 10) * 1000 +
                            strtoll(reply->element[1]->str, NULL, 10) / 1000;
    check->refusal = llabs(check->server_wall_ms - now.wall_ms) > CLOCK_TOLERANCE_MS
                         ? "this clock and Redis' differ by more than 30 s"
                         : NULL;
    watch_clock(check, now);
}

static void on_info_reply(redisAsyncContext *context, void *data, void *user)
{
    struct redis_store *store = redis_store_of(context);
    const redisReply *reply = data;
    struct redis_server server;

    (void)user;
    if (store == NULL || reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        redis_link_drop(store, redis_error_words(reply));
    } else if (reply->type != REDIS_REPLY_STRING ||
               !redis_info_parse(reply->str, reply->len, &server)) {
        redis_link_drop(store, "Redis' INFO lacks what is needed");
    } else if (!server.is_master) {
        /* What a replica takes, if it takes anything, its master takes from it again. */
        redis_link_drop(store, "Redis is a read-only replica");
    } else {
        store->check.seen = server.identity;
        if (!server.policy_is_safe && store->check.refusal == NULL)
            store->check.refusal =
                "Redis' maxmemory-policy is not noeviction: it may forget spent tokens";
    }
}

static void on_marker_reply(redisAsyncContext *context, void *data, void *user)
{
    struct redis_store *store = redis_store_of(context);
    const redisReply *reply = data;

    (void)user;
    if (store == NULL || reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_ERROR) {
        redis_link_drop(store, redis_error_words(reply));
        return;
    }
    if (store->denials.failure != NULL) {
        redis_link_drop(store, store->denials.failure);
        return;
    }
    store->check.is_out = false;
    judge_record(store, reply, moment_now());
    store->base.failure = store->check.refusal;
    redis_link_is_ready(store);
}

bool redis_check_knows(const struct redis_store *store, const redisReply *reply)
{
    const char *marker = store->check.marker;

    return marker[0] != '\0' && reply->type == REDIS_REPLY_STRING && reply->len == strlen(marker) &&
           memcmp(reply->str, marker, reply->len) == 0;
}

int redis_check_ask_marker(struct redis_store *store, redisCallbackFn *on_reply)
{
    return redisAsyncCommand(store->link.context, on_reply, NULL, "GET %s", marker_key) == REDIS_OK
               ? 0
               : -1;
}

void redis_check_send(struct redis_store *store)
{
    redisAsyncContext *context = store->link.context;

    store->check.is_out = true;
    store->check.sent_boot_ms = moment_now().boot_ms;
    if (redisAsyncCommand(context, on_time_reply, NULL, "TIME") != REDIS_OK ||
        redisAsyncCommand(context, on_info_reply, NULL, "INFO") != REDIS_OK ||
        redis_check_ask_marker(store, on_marker_reply) != 0)
        redis_link_drop(store, "the connection to Redis is lost");
}

bool redis_check_is_due(const struct redis_store *store, int64_t now_boot_ms)
{
    return store->link.state == LINK_READY && !store->check.is_out &&
           now_boot_ms - store->check.sent_boot_ms >= CHECK_MS;
}

bool redis_check_is_overdue(const struct redis_store *store, int64_t now_boot_ms)
{
    return store->check.is_out && now_boot_ms - store->check.sent_boot_ms >= REDIS_ANSWER_MS;
}
