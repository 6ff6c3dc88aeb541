#include <stdlib.h>
#include <string.h>

#include "store/redis_events.h"
#include "store/redis_parts.h"

/* Between attempts to connect. */
enum { RETRY_MS = 200 };

static const char unreachable[] = "Redis can't be reached";
static const char lost[] = "the connection to Redis is lost";

const char *redis_error_words(const redisReply *reply)
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

static void set_state(struct redis_link *link, enum redis_link_state state)
{
    link->state = state;
    link->since_boot_ms = moment_now().boot_ms;
}

static void on_lost(struct redis_store *store, const char *why)
{
    store->link.context = NULL;
    store->link.was_ready_or_new = false;
    store->check.is_out = false;
    store->check.marker[0] = '\0';
    store->was_sent = false;
    store->base.failure = why;
    set_state(&store->link, LINK_DOWN);
    redis_spends_fail(store);
}

void redis_link_drop(struct redis_store *store, const char *why)
{
    redisAsyncContext *context = store->link.context;

    if (context == NULL)
        return;
    on_lost(store, why);
    context->data = NULL;
    redisAsyncFree(context);
}

void redis_link_is_ready(struct redis_store *store)
{
    if (store->link.state == LINK_READY)
        return;
    set_state(&store->link, LINK_READY);
    store->link.was_ready_or_new = true;
    /* They were judged by what was known of denied users then. */
    if (store->denials.merged != store->link.merged_before)
        redis_spends_fail_held(store);
    redis_spends_send_held(store);
}

/* --- connecting */

static void on_login_reply(redisAsyncContext *context, void *data, void *user)
{
    struct redis_store *store = redis_store_of(context);
    const redisReply *reply = data;

    (void)user;
    if (store != NULL && reply != NULL && reply->type == REDIS_REPLY_ERROR)
        redis_link_drop(store, redis_error_words(reply));
}

static void log_in(struct redis_store *store)
{
    const struct redis_address *address = store->link.address;
    redisAsyncContext *context = store->link.context;

    if (address->password != NULL)
        (void)redisAsyncCommand(context, on_login_reply, NULL, "AUTH %s", address->password);
    if (address->database != 0)
        (void)redisAsyncCommand(context, on_login_reply, NULL, "SELECT %d", address->database);
}

static void on_connected(const redisAsyncContext *context, int status)
{
    struct redis_store *store = redis_store_of(context);

    if (store == NULL)
        return;
    if (status != REDIS_OK) {
        on_lost(store, unreachable);
        return;
    }
    set_state(&store->link, LINK_CONNECTED);
    event_active(store->link.watch, EV_TIMEOUT, 0);
}

/* Not from on_connected(): hiredis 0.14 goes on with the connection after that, even if it was freed
 * there. */
static void begin_to_talk(struct redis_store *store)
{
    set_state(&store->link, LINK_CHECKING);
    log_in(store);
    store->link.merged_before = store->denials.merged;
    /* In front of the check, so that nobody is let in before it is known who is denied. */
    if (redis_denials_begin(&store->denials, store->link.context) != 0)
        redis_link_drop(store, lost);
    else
        redis_check_send(store);
}

static void on_disconnected(const redisAsyncContext *context, int status)
{
    struct redis_store *store = redis_store_of(context);

    (void)status;
    if (store != NULL)
        on_lost(store, lost);
}

static void connect_to_it(struct redis_store *store)
{
    const struct redis_address *address = store->link.address;
    redisAsyncContext *context = address->host != NULL
                                     ? redisAsyncConnect(address->host, address->port)
                                     : redisAsyncConnectUnix(address->path);

    if (context == NULL || context->err != 0 ||
        redis_events_attach(context, store->link.loop) != 0) {
        if (context != NULL)
            redisAsyncFree(context);
        on_lost(store, unreachable);
        return;
    }
    context->data = store;
    store->link.context = context;
    set_state(&store->link, LINK_CONNECTING);
    (void)redisAsyncSetConnectCallback(context, on_connected);
    (void)redisAsyncSetDisconnectCallback(context, on_disconnected);
}

/* --- watching */

static bool is_overdue(const struct redis_store *store, int64_t now)
{
    return redis_spends_are_overdue(store, now) || redis_check_is_overdue(store, now) ||
           (store->link.state == LINK_CONNECTING &&
            now - store->link.since_boot_ms >= REDIS_ANSWER_MS);
}

static void on_watch(evutil_socket_t descriptor, short events, void *user)
{
    struct redis_store *store = user;
    struct redis_link *link = &store->link;
    int64_t now = moment_now().boot_ms;

    (void)descriptor;
    (void)events;
    if (is_overdue(store, now))
        redis_link_drop(store, "Redis does not answer in time");
    if (link->state == LINK_CONNECTED)
        begin_to_talk(store);
    else if (link->state == LINK_DOWN && now - link->since_boot_ms >= RETRY_MS)
        connect_to_it(store);
    else if (redis_check_is_due(store, now))
        redis_check_send(store);
    if (link->state == LINK_READY)
        redis_denials_poll(&store->denials, link->context, now);
}

int redis_link_begin(struct redis_store *store)
{
    static const struct timeval interval = {.tv_usec = 100000};

    store->link.watch = event_new(store->link.loop, -1, EV_PERSIST, on_watch, store);
    if (store->link.watch == NULL || event_add(store->link.watch, &interval) != 0)
        return -1;
    connect_to_it(store);
    store->link.was_ready_or_new = true;
    return 0;
}

void redis_link_end(struct redis_store *store)
{
    if (store->link.watch != NULL)
        event_free(store->link.watch);
    store->link.watch = NULL;
}
