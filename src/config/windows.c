#include "config/windows.h"

#include <stdbool.h>

/* The widest window of the hosts with each interval, in steps; -1: there is no such host. */
struct widest {
    int window[OTP_INTERVAL_MAX + 1];
};

static struct widest find_widest(const struct config *config)
{
    struct widest widest;

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

void windows_settle(struct config *config)
{
    const struct widest widest = find_widest(config);

    for (size_t i = 0; i < config->host_count; i++) {
        struct host *host = &config->hosts[i];
        unsigned interval = host->format.interval;

        host->keep_window = (reach_beyond(interval, &widest) + interval - 1) / interval;
    }
}
