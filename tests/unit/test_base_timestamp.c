/* RFC 3339 timestamps, to and from seconds. */
#include "vectors.h"

#include "base/timestamp.h"

static void timestamps_name_their_second(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:59Z", 59},
        {"2005-03-18T01:58:29Z", 1111111109},
        {"2009-02-13T23:31:30Z", 1234567890},
        {"2033-05-18T03:33:20Z", 2000000000},
        {"2603-10-11T11:33:20Z", 20000000000},
        {"2026-01-01T00:00:00Z", 1767225600},
        {"2026-12-31T23:59:59Z", 1798761599},
        {"2038-01-19T03:14:07Z", 2147483647},
        {"2038-01-19T03:14:08Z", 2147483648},
        {"2106-02-07T06:28:16Z", 4294967296},
        {"2000-02-29T12:00:00Z", 951825600},
        {"2024-02-29T00:00:00Z", 1709164800},
        {"2100-02-28T23:59:59Z", 4107542399},
        {"2100-03-01T00:00:00Z", 4107542400},
        {"9999-12-31T23:59:59Z", 253402300799},
        /* RFC 3339 section 5.8, without its fractions. */
        {"1996-12-19T16:39:57-08:00", 851042397},
        {"1996-12-20T00:39:57Z", 851042397},
        /* Offsets. */
        {"2026-01-01T00:00:00+00:00", 1767225600},
        {"2026-01-01T00:00:00-00:00", 1767225600},
        {"2026-01-01T01:00:00+01:00", 1767225600},
        {"2026-01-01T02:00:00+02:00", 1767225600},
        {"2026-01-01T05:45:00+05:45", 1767225600},
        {"2025-12-31T14:30:00-09:30", 1767225600},
        {"2026-01-01T23:59:00+23:59", 1767225600},
        {"2025-12-31T00:01:00-23:59", 1767225600},
        {"1970-01-01T00:00:00+01:00", -3600},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        int64_t seconds = -1;

        expect(timestamp_parse(rows[i].text, &seconds) == 0, "%s is refused", rows[i].text);
        expect(seconds == rows[i].seconds, "%s is read as %lld", rows[i].text, (long long)seconds);
    }
}

static void other_texts_and_impossible_dates_are_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "Z",
        "0",
        "1767225600",
        "2026",
        "2026-01-01",
        "2026-01-01T00:00Z",
        "2026-01-01T00:00:00",
        "2026-01-01 00:00:00Z",
        "2026-01-01t00:00:00Z",
        "2026-01-01T00:00:00z",
        "2026-01-01T00:00:00ZZ",
        "2026-01-01T00:00:00Z ",
        " 2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.5Z",
        "2026-01-01T00:00:00,5Z",
        "26-01-01T00:00:00Z",
        "12026-01-01T00:00:00Z",
        "-026-01-01T00:00:00Z",
        "+026-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-06-31T00:00:00Z",
        "2026-09-31T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2024-02-30T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T-1:00:00Z",
        "2026-01-01T 1:00:00Z",
        "2026-1-01T00:00:00Z",
        "2026/01/01T00:00:00Z",
        "2026-01-01T00:00:00+",
        "2026-01-01T00:00:00+01",
        "2026-01-01T00:00:00+0100",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00+01:0",
        "2026-01-01T00:00:00+01:000",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+00:60",
        "2026-01-01T00:00:00 01:00",
        "2026-01-01T00:00:0001:00",
        "2026-01-01T00:00:00UTC",
        "2026-01-01T00:00:00Z+01:00",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char *text = exact_copy(rows[i], strlen(rows[i]) + 1);
        int64_t seconds = -77;

        expect(timestamp_parse(text, &seconds) == -1, "'%s' is taken", rows[i]);
        expect(seconds == -77, "'%s' writes %lld", rows[i], (long long)seconds);
        free(text);
    }
}

static void a_text_cut_off_anywhere_is_refused(void **state)
{
    static const char *const rows[] = {"2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:30"};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        for (size_t length = 0; length < strlen(rows[i]); length++) {
            char *text = exact_copy(rows[i], length + 1);
            int64_t seconds;

            text[length] = '\0';
            expect(timestamp_parse(text, &seconds) == -1, "'%s' is taken", text);
            free(text);
        }
    }
}

static void whatever_is_taken_in_utc_is_written_back_the_same(void **state)
{
    static const char original[] = "2026-11-23T18:45:00Z";

    (void)state;
    for (size_t at = 0; at < strlen(original); at++) {
        for (int byte = 1; byte < 256; byte++) {
            char text[TIMESTAMP_SIZE], again[TIMESTAMP_SIZE];
            int64_t seconds;

            copy_text(text, original);
            text[at] = (char)byte;
            if (timestamp_parse(text, &seconds) == 0)
                expect(strcmp(timestamp_format(seconds, again), text) == 0,
                       "byte %02x at %zu: '%s' is read as %s", byte, at, text, again);
        }
    }
}

static bool leap(int year)
{
    return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
}

static void every_day_follows_the_day_before(void **state)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t expected = 0;

    (void)state;
    for (int year = 1970; year <= 9999; year++) {
        for (int month = 1; month <= 12; month++) {
            int days = lengths[month - 1] + (month == 2 && leap(year));
            /* All days of a long while, then the first and last of every month. */
            int stride = year < 2110 ? 1 : days - 1;

            for (int day = 1; day <= days; day += stride) {
                char text[64], again[TIMESTAMP_SIZE];
                int64_t begin = expected + (day - 1) * INT64_C(86400);
                int64_t seconds = -1;

                snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00Z", year, month, day);
                expect(timestamp_parse(text, &seconds) == 0 && seconds == begin,
                       "%s is read as %lld", text, (long long)seconds);
                expect(strcmp(timestamp_format(begin, again), text) == 0, "%s is written as %s",
                       text, again);
            }
            expected += days * INT64_C(86400);
        }
    }
}

static void seconds_are_written_where_the_year_has_four_digits(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {253402300800, "253402300800"},
        {-30610224000, "1000-01-01T00:00:00Z"},
        {-30610224001, "-30610224001"},
        {-62167219200, "-62167219200"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
        {INT64_MAX / 1000, "9223372036854775"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char text[TIMESTAMP_SIZE];

        expect(strcmp(timestamp_format(rows[i].seconds, text), rows[i].text) == 0,
               "%lld is written as %s, not %s", (long long)rows[i].seconds, text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamps_name_their_second),
        cmocka_unit_test(other_texts_and_impossible_dates_are_refused),
        cmocka_unit_test(a_text_cut_off_anywhere_is_refused),
        cmocka_unit_test(whatever_is_taken_in_utc_is_written_back_the_same),
        cmocka_unit_test(every_day_follows_the_day_before),
        cmocka_unit_test(seconds_are_written_where_the_year_has_four_digits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
