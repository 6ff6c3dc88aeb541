#include "base/timestamp.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/number.h"

static bool two_digits(const char *text, int64_t minimum, int64_t maximum, int64_t *value_r)
{
    int64_t value;

    if (number_parse(text, 2, &value) != 0 || value < minimum || value > maximum)
        return false;
    *value_r = value;
    return true;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static int64_t days_since_epoch(int64_t year, int64_t month, int64_t day)
{
    int64_t before = year - 1;
    int64_t days = (year - 1970) * 365 + (before / 4 - before / 100 + before / 400) - 477;

    for (int64_t earlier = 1; earlier < month; earlier++)
        days += days_in_month(year, earlier);
    return days + day - 1;
}

/* Z or +HH:MM or -HH:MM; seconds east of Greenwich. */
static bool parse_offset(const char *text, int64_t *east_r)
{
    int64_t hours, minutes;

    if (strcmp(text, "Z") == 0) {
        *east_r = 0;
        return true;
    }
    if (strlen(text) != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' ||
        !two_digits(text + 1, 0, 23, &hours) || !two_digits(text + 4, 0, 59, &minutes))
        return false;
    *east_r = (hours * 60 + minutes) * (text[0] == '-' ? -60 : 60);
    return true;
}

int timestamp_parse(const char *text, int64_t *seconds_r)
{
    int64_t year, month, day, hour, minute, second, east;

    if (strlen(text) < strlen("1970-01-01T00:00:00Z") || text[4] != '-' || text[7] != '-' ||
        text[10] != 'T' || text[13] != ':' || text[16] != ':')
        return -1;
    if (number_parse(text, 4, &year) != 0 || year < 1970 || !two_digits(text + 5, 1, 12, &month) ||
        !two_digits(text + 8, 1, days_in_month(year, month), &day) ||
        !two_digits(text + 11, 0, 23, &hour) || !two_digits(text + 14, 0, 59, &minute) ||
        !two_digits(text + 17, 0, 59, &second) || !parse_offset(text + 19, &east))
        return -1;
    *seconds_r =
        days_since_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - east;
    return 0;
}

const char *timestamp_format(int64_t seconds, char text[TIMESTAMP_SIZE])
{
    time_t time = (time_t)seconds;
    struct tm parts;

    if (gmtime_r(&time, &parts) == NULL || parts.tm_year < 1000 - 1900 ||
        parts.tm_year > 9999 - 1900 ||
        strftime(text, TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(text, TIMESTAMP_SIZE, "%lld", (long long)seconds);
    return text;
}
