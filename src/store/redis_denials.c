#include "store/redis_denials.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

/* Between looks at the revision; what is said here is sent at the next look. */
enum { LOOK_MS = 200 };

/* Entries sent at one look. */
enum { SENT_AT_ONCE = 500 };

static const char denied_key[] = "xmpp-authd:denied";
static const char revision_key[] = "xmpp-authd:denied-revision";

/*
 * An entry replaces an older one only, whoever comes first: `changed until`, compared as
 * accounts_merge() does. Both fit in Redis' numbers but for the end of a denial for ever, which is
 * only compared.
 */
static const char put_script[] =
    "local old = redis.call('HGET', KEYS[1], ARGV[1])\n"
    "if old then\n"
    "  local changed, til = string.match(old, '^(%d+) (%d+)$')\n"
    "  if changed and (tonumber(changed) > tonumber(ARGV[2]) or\n"
    "      (changed == ARGV[2] and tonumber(til) >= tonumber(ARGV[3]))) then return 0 end\n"
    "end\n"
    "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3])\n"
    "return redis.call('INCR', KEYS[2])\n";

void redis_denials_init(struct redis_denials *denials, struct accounts *accounts)
{
    *denials = (struct redis_denials){.accounts = accounts, .revision = -1};
    accounts_begin_sharing(accounts);
}

/* --- fetching */

/* `CHANGED UNTIL` */
static bool parse_value(const char *text, size_t length, struct accounts_denial *denial)
{
    const char *blank = memchr(text, ' ', length);

    return blank != NULL && number_parse(text, (size_t)(blank - text), &denial->changed_ms) == 0 &&
           number_parse(blank + 1, (size_t)(text + length - blank - 1), &denial->until) == 0;
}

/* An entry that can't be read is somebody else's: ours are read back as they were written. */
static int merge_entry(struct redis_denials *denials, const redisReply *name,
                       const redisReply *value)
{
    struct accounts_denial denial = {.jid = name->str, .length = name->len};
    int changed;

    if (name->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING || name->len == 0 ||
        name->len > ACCOUNT_NAME_MAX || !parse_value(value->str, value->len, &denial))
        return 0;
    changed = accounts_merge(denials->accounts, &denial);
    if (changed > 0)
        denials->merged++;
    return changed < 0 ? -1 : 0;
}

static void on_entries(redisAsyncContext *context, void *data, void *user)
{
    struct redis_denials *denials = user;
    const redisReply *reply = data;

    (void)context;
    if (reply == NULL)
        return;
    denials->in_flight--;
    denials->failure = "the denied users can't be read from Redis";
    if (reply->type != REDIS_REPLY_ARRAY)
        return;
    accounts_unshare_all(denials->accounts);
    for (size_t i = 0; i + 1 < reply->elements; i += 2) {
        if (merge_entry(denials, reply->element[i], reply->element[i + 1]) != 0)
            return;
    }
    denials->revision = denials->revision_asked;
    denials->failure = NULL;
}

static int fetch(struct redis_denials *denials, redisAsyncContext *context)
{
    if (redisAsyncCommand(context, on_entries, denials, "HGETALL %s", denied_key) != REDIS_OK)
        return -1;
    denials->in_flight++;
    return 0;
}

static int64_t revision_of(const redisReply *reply)
{
    int64_t revision = 0;

    /* Nobody has said anything yet, or Redis has lost it. */
    if (reply->type == REDIS_REPLY_STRING && number_parse(reply->str, reply->len, &revision) != 0)
        return -1;
    return revision;
}

static void on_revision(redisAsyncContext *context, void *data, void *user)
{
    struct redis_denials *denials = user;
    const redisReply *reply = data;

    if (reply == NULL)
        return;
    denials->in_flight--;
    if (reply->type == REDIS_REPLY_ERROR)
        return;
    denials->revision_asked = revision_of(reply);
    if (denials->revision_asked != denials->revision)
        (void)fetch(denials, context);
}

static int look(struct redis_denials *denials, redisAsyncContext *context)
{
    if (redisAsyncCommand(context, on_revision, denials, "GET %s", revision_key) != REDIS_OK)
        return -1;
    denials->in_flight++;
    return 0;
}

int redis_denials_begin(struct redis_denials *denials, redisAsyncContext *context)
{
    denials->in_flight = 0;
    denials->revision = -1;
    /* Not the revision of what is fetched, but not a later one either. */
    denials->revision_asked = -1;
    denials->failure = "the denied users are not read from Redis yet";
    return fetch(denials, context);
}

/* --- telling */

struct telling {
    struct redis_denials *denials;
    redisAsyncContext *context;
};

static void on_told(redisAsyncContext *context, void *data, void *user)
{
    struct redis_denials *denials = user;

    (void)context;
    if (data != NULL)
        denials->in_flight--;
}

/* Whether it arrived is seen where it is fetched: the revision has changed by it. */
static void tell(void *user, const struct accounts_denial *denial)
{
    const struct telling *telling = user;
    char changed[24], until[24];

    snprintf(changed, sizeof(changed), "%" PRId64, denial->changed_ms);
    snprintf(until, sizeof(until), "%" PRId64, denial->until);
    if (redisAsyncCommand(telling->context, on_told, telling->denials, "EVAL %s 2 %s %s %b %s %s",
                          put_script, denied_key, revision_key, denial->jid, denial->length,
                          changed, until) == REDIS_OK)
        telling->denials->in_flight++;
}

void redis_denials_poll(struct redis_denials *denials, redisAsyncContext *context,
                        int64_t now_boot_ms)
{
    struct telling telling = {denials, context};

    if (denials->in_flight > 0 || now_boot_ms - denials->asked_boot_ms < LOOK_MS)
        return;
    denials->asked_boot_ms = now_boot_ms;
    if (accounts_unshared_count(denials->accounts) > 0)
        accounts_each_unshared(denials->accounts, SENT_AT_ONCE, tell, &telling);
    (void)look(denials, context);
}
