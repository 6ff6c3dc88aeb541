#include "daemon/clock_watch.h"

#include <stdlib.h>
#include <string.h>

static void remove_at(struct clock_watch *watch, unsigned place)
{
    watch->count--;
    memmove(&watch->evidence[place], &watch->evidence[place + 1],
            (watch->count - place) * sizeof(watch->evidence[0]));
}

static void remove_old(struct clock_watch *watch, int64_t now)
{
    while (watch->count > 0 && watch->evidence[0].at < now - CLOCK_EVIDENCE_SECONDS)
        remove_at(watch, 0);
}

static bool holds_token(const struct clock_watch *watch, uint64_t token)
{
    for (unsigned i = 0; i < watch->count; i++) {
        if (watch->evidence[i].token == token)
            return true;
    }
    return false;
}

/* Which one makes way for one more of a user; the count where none has to. */
static unsigned place_to_free(const struct clock_watch *watch, uint64_t user)
{
    unsigned own = 0, oldest_own = 0;

    for (unsigned i = watch->count; i > 0; i--) {
        if (watch->evidence[i - 1].user != user)
            continue;
        own++;
        oldest_own = i - 1;
    }
    if (own >= CLOCK_EVIDENCE_OF_A_USER)
        return oldest_own;
    return watch->count == CLOCK_EVIDENCE_MAX ? 0 : watch->count;
}

static void add(struct clock_watch *watch, const struct clock_evidence *evidence)
{
    unsigned place = place_to_free(watch, evidence->user);

    if (place < watch->count)
        remove_at(watch, place);
    watch->evidence[watch->count++] = *evidence;
}

/* What the evidence says that agrees with the latest: how many tokens, whose. The offset is that of
 * the token used soonest after it was made. */
struct agreement {
    unsigned tokens, users;
    int64_t offset;
};

static struct agreement agree(const struct clock_watch *watch, int64_t tolerance)
{
    const struct clock_evidence *latest = &watch->evidence[watch->count - 1];
    struct agreement agreement = {.offset = latest->offset};

    for (unsigned i = 0; i < watch->count; i++) {
        const struct clock_evidence *one = &watch->evidence[i];
        bool is_new_user = true;

        if (llabs(one->offset - latest->offset) > tolerance)
            continue;
        for (unsigned k = 0; k < i; k++)
            is_new_user =
                is_new_user && (watch->evidence[k].user != one->user ||
                                llabs(watch->evidence[k].offset - latest->offset) > tolerance);
        agreement.tokens++;
        agreement.users += is_new_user;
        if (one->offset > agreement.offset)
            agreement.offset = one->offset;
    }
    return agreement;
}

/* Two users together can make alerts and end them as often as they like: not so many lines. */
static bool is_news(const struct clock_watch *watch, int64_t now)
{
    int64_t since = now - watch->warned_at;

    if (!watch->has_warned || since >= CLOCK_WARNING_SECONDS)
        return true;
    return !watch->is_announced && since >= CLOCK_NEWS_SECONDS;
}

static enum clock_news confirm(struct clock_watch *watch, struct agreement agreement, int64_t now,
                               int64_t tolerance)
{
    bool differs = !watch->is_confirmed || llabs(watch->offset - agreement.offset) > tolerance;

    watch->is_confirmed = true;
    watch->tokens = agreement.tokens;
    watch->users = agreement.users;
    watch->good_logins = 0;
    if (differs) {
        watch->offset = agreement.offset;
        watch->is_announced = false;
    }
    if (!is_news(watch, now))
        return CLOCK_CONFIRMED;
    watch->has_warned = true;
    watch->is_announced = true;
    watch->warned_at = now;
    return CLOCK_WARN;
}

enum clock_news clock_watch_stale(struct clock_watch *watch, const struct clock_evidence *evidence,
                                  int64_t tolerance)
{
    struct agreement agreement;

    remove_old(watch, evidence->at);
    if (holds_token(watch, evidence->token))
        return CLOCK_NO_NEWS;
    add(watch, evidence);
    agreement = agree(watch, tolerance);
    if (agreement.tokens < CLOCK_TOKENS_TO_CONFIRM && agreement.users < CLOCK_USERS_TO_CONFIRM)
        return CLOCK_NO_NEWS;
    return confirm(watch, agreement, evidence->at, tolerance);
}

enum clock_news clock_watch_good(struct clock_watch *watch)
{
    bool was_announced = watch->is_announced;

    if (watch->count > 0)
        remove_at(watch, 0);
    if (!watch->is_confirmed || ++watch->good_logins < CLOCK_LOGINS_TO_CLEAR)
        return CLOCK_NO_NEWS;
    *watch = (struct clock_watch){.has_warned = watch->has_warned, .warned_at = watch->warned_at};
    return was_announced ? CLOCK_CLEAR : CLOCK_CLEAR_UNSAID;
}

bool clock_watch_is_idle(const struct clock_watch *watch)
{
    return watch->count == 0 && !watch->is_confirmed;
}
