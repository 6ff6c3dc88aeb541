#include "config/windows.h"

#include <stdbool.h>
#include <string.h>

#include "base/fingerprint.h"
#include "token/judge.h"

/* The widest window of the hosts with each interval, in steps; -1: there is no such host. */
struct widest {
    int window[OTP_INTERVAL_MAX + 1];
};

static struct widest find_widest(const struct config *config)
{
    struct widest widest = {0};

    for (unsigned interval = 0; interval <= OTP_INTERVAL_MAX; interval++)
        widest.window[interval] = -1;
    for (size_t i = 0; i < config->host_count; i++) {
        const struct token_format *format = &config->hosts[i].format;
        int *window = &widest.window[format->interval];

        if (*window < (int)format->window)
            *window = (int)format->window;
    }
    return widest;
}

/* Seconds from the end of a step until no host accepts its time any more. Steps of another length
 * end later than this one, by one of theirs at the most. */
static unsigned reach_beyond(unsigned interval, const struct widest *widest)
{
    unsigned furthest = 0;

    for (unsigned other = 1; other <= OTP_INTERVAL_MAX; other++) {
        unsigned steps = (unsigned)(widest->window[other] + (other != interval));

        if (widest->window[other] >= 0 && steps * other > furthest)
            furthest = steps * other;
    }
    return furthest;
}

_Static_assert(JSXC_LIFETIME_MAX + TOKEN_REACH_MAX <= REACH_MAX, "no setting goes beyond");

/* Seconds by which the host's settings let tokens of a kind come before the step that they are filed
 * under; of v2's, which say themselves for how long they are good, before that. */
static unsigned reach_of(const struct token_format *format, enum token_kind kind)
{
    unsigned lead = format->window * format->interval;

    if (!token_kind_is_accepted(kind, format))
        return 0;
    return kind == TOKEN_JSXC ? format->jsxc_max_lifetime + lead : lead;
}

/* The hosts' order is of no matter. */
static void settle_reach(struct reach *reach, struct host *host)
{
    static const enum token_kind kinds[] = {TOKEN_V1, TOKEN_V2, TOKEN_JSXC};
    uint64_t own = fingerprint(FINGERPRINT_SEED, host->name, strlen(host->name));

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        unsigned seconds = reach_of(&host->format, kinds[i]);

        host->reach[kinds[i]] = seconds;
        own = fingerprint_step(own, seconds);
        if (seconds > reach->seconds[kinds[i]])
            reach->seconds[kinds[i]] = seconds;
    }
    reach->settings += own;
}

void windows_settle(struct config *config)
{
    const struct widest widest = find_widest(config);

    for (size_t i = 0; i < config->host_count; i++) {
        struct host *host = &config->hosts[i];
        unsigned interval = host->format.interval;

        host->keep_window = (reach_beyond(interval, &widest) + interval - 1) / interval;
        settle_reach(&config->reach, host);
    }
}
