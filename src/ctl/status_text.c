#include "ctl/status_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *text_of_seconds(uint64_t seconds, char text_r[STATUS_TEXT_SIZE])
{
    static const struct {
        uint64_t seconds;
        char letter;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t unit = 0;

    while (unit < 3 && seconds < units[unit].seconds)
        unit++;
    if (unit == 3 || seconds % units[unit].seconds / units[unit + 1].seconds == 0)
        snprintf(text_r, STATUS_TEXT_SIZE, "%" PRIu64 "%c", seconds / units[unit].seconds,
                 units[unit].letter);
    else
        snprintf(text_r, STATUS_TEXT_SIZE, "%" PRIu64 "%c %" PRIu64 "%c",
                 seconds / units[unit].seconds, units[unit].letter,
                 seconds % units[unit].seconds / units[unit + 1].seconds, units[unit + 1].letter);
    return text_r;
}

const char *text_of_microseconds(double microseconds, char text_r[STATUS_TEXT_SIZE])
{
    if (microseconds < 0)
        snprintf(text_r, STATUS_TEXT_SIZE, "-");
    else if (microseconds < 1000)
        snprintf(text_r, STATUS_TEXT_SIZE, "%.0f us", microseconds);
    else if (microseconds < 1e6)
        snprintf(text_r, STATUS_TEXT_SIZE, "%.1f ms", microseconds / 1e3);
    else
        snprintf(text_r, STATUS_TEXT_SIZE, "%.1f s", microseconds / 1e6);
    return text_r;
}

const char *text_of_bytes(uint64_t bytes, char text_r[STATUS_TEXT_SIZE])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double scaled = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024) {
        snprintf(text_r, STATUS_TEXT_SIZE, "%" PRIu64 " B", bytes);
        return text_r;
    }
    while (scaled >= 1024 && unit < 3) {
        scaled /= 1024;
        unit++;
    }
    snprintf(text_r, STATUS_TEXT_SIZE, "%.1f %s", scaled, units[unit]);
    return text_r;
}

const char *text_of_clock(const struct report_host *host, char text_r[STATUS_TEXT_SIZE])
{
    char time[STATUS_TEXT_SIZE];
    uint64_t seconds =
        host->clock_offset < 0 ? 0 - (uint64_t)host->clock_offset : (uint64_t)host->clock_offset;

    if (!host->clock_is_off)
        snprintf(text_r, STATUS_TEXT_SIZE, "agrees");
    else
        snprintf(text_r, STATUS_TEXT_SIZE, "%.40s %s", text_of_seconds(seconds, time),
                 host->clock_offset < 0 ? "behind" : "ahead");
    return text_r;
}

const char *text_of_rate(double rate, char text_r[STATUS_TEXT_SIZE])
{
    if (rate < 0.005)
        snprintf(text_r, STATUS_TEXT_SIZE, "0");
    else
        snprintf(text_r, STATUS_TEXT_SIZE, "%.*f", rate < 1 ? 2 : rate < 100 ? 1 : 0, rate);
    return text_r;
}

const char *text_of_state(const struct status_report *report, bool *trouble_r)
{
    *trouble_r = true;
    if (strcmp(report->state, "draining") == 0)
        return "draining";
    if (report->failure[0] != '\0')
        return "store error";
    if (strcmp(report->record, "starting") == 0)
        return "starting";
    *trouble_r = false;
    return "ready";
}
