#include "daemon/event_limit.h"

#include "daemon/log.h"

static const char *const words[LIMITED_COUNT] = {
    [LIMITED_TIMEOUT] = "connection-timeout",  [LIMITED_REFUSED] = "connection-refused",
    [LIMITED_FAILED] = "connection-failed",    [LIMITED_PAUSED] = "accept-paused",
    [LIMITED_ACCEPT_FAILED] = "accept-failed", [LIMITED_CONTROL_REFUSED] = "control-refused",
    [LIMITED_SHORTAGE] = "memory-short",
};

static void write_sum(const char *word, uint64_t count)
{
    struct log_line line;

    log_begin(&line, LOG_LEVEL_INFO, "events-summed");
    logfmt_text(&line.fields, "of", word);
    logfmt_number(&line.fields, "count", (int64_t)count);
    log_end(&line, LOG_LEVEL_INFO);
}

static void end_stretch(struct event_limits *limits, enum limited_event event, int64_t now)
{
    if (now < limits->events[event].ends)
        return;
    if (limits->events[event].summed > 0)
        write_sum(words[event], limits->events[event].summed);
    limits->events[event].lines = 0;
    limits->events[event].summed = 0;
}

bool event_limit_allows(struct event_limits *limits, enum limited_event event, struct moment now)
{
    int64_t seconds = now.boot_ms / 1000;

    end_stretch(limits, event, seconds);
    if (limits->events[event].lines == 0)
        limits->events[event].ends = seconds + LIMITED_SECONDS;
    if (limits->events[event].lines == LIMITED_LINES) {
        limits->events[event].summed++;
        return false;
    }
    limits->events[event].lines++;
    return true;
}

void event_limit_flush(struct event_limits *limits, struct moment now)
{
    for (unsigned event = 0; event < LIMITED_COUNT; event++)
        end_stretch(limits, (enum limited_event)event, now.boot_ms / 1000);
}
