/* Prometheus' text format: no value of a label can be anything but a value. */
#include "vectors.h"

#include "daemon/exposition.h"

static const char *text_of(struct evbuffer *buffer)
{
    evbuffer_add(buffer, "", 1);
    return (const char *)evbuffer_pullup(buffer, -1);
}

static void label_values_are_escaped(void **state)
{
    static const struct {
        const char *value, *written;
    } rows[] = {
        {"", ""},
        {"example.org", "example.org"},
        {"*", "*"},
        {"a\"b", "a\\\"b"},
        {"a\\b", "a\\\\b"},
        {"a\\", "a\\\\"},
        {"a\nb", "a\\\\x0ab"},
        {"a\"} 1\nb{c=\"d", "a\\\"} 1\\\\x0ab{c=\\\"d"},
        {"\x01\x7f", "\\\\x01\\\\x7f"},
        {"b\xc3\xbc"
         "cher.example",
         "b\\\\xc3\\\\xbccher.example"},
        {"\xff", "\\\\xff"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct evbuffer *buffer = evbuffer_new();
        const struct label labels[] = {{"host", rows[i].value}, {"reason", "early"}};
        char expected[256];

        exposition_number(buffer, "n", labels, LENGTH_OF(labels), 7);
        snprintf(expected, sizeof(expected), "n{host=\"%s\",reason=\"early\"} 7\n",
                 rows[i].written);
        expect(strcmp(text_of(buffer), expected) == 0, "row %zu: %s", i, text_of(buffer));
        evbuffer_free(buffer);
    }
}

static void a_long_value_is_cut_and_stays_a_value(void **state)
{
    for (size_t length = EXPOSITION_VALUE_MAX - 8; length < EXPOSITION_VALUE_MAX + 8; length++) {
        struct evbuffer *buffer = evbuffer_new();
        char *value = calloc(2, EXPOSITION_VALUE_MAX);
        const struct label labels[] = {{"host", value}};
        size_t written;

        (void)state;
        assert_non_null(value);
        memset(value, 'a', length);
        memset(value + length, '\\', EXPOSITION_VALUE_MAX / 2);
        exposition_number(buffer, "n", labels, 1, 1);
        written = evbuffer_get_length(buffer);
        expect(written <= EXPOSITION_VALUE_MAX + 32, "%zu bytes", written);
        expect(strcmp(text_of(buffer) + written - 5, "\"} 1\n") == 0, "length %zu", length);
        free(value);
        evbuffer_free(buffer);
    }
}

static void numbers_are_written_whole(void **state)
{
    static const struct {
        int64_t seconds;
        uint32_t nanoseconds;
        const char *written;
    } rows[] = {
        {0, 0, "s 0\n"},
        {-5400, 0, "s -5400\n"},
        {1, 5, "s 1.000000005\n"},
        {1795472052, 999999999, "s 1795472052.999999999\n"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct evbuffer *buffer = evbuffer_new();

        exposition_seconds(buffer, "s", NULL, 0, rows[i].seconds, rows[i].nanoseconds);
        expect(strcmp(text_of(buffer), rows[i].written) == 0, "row %zu: %s", i, text_of(buffer));
        evbuffer_free(buffer);
    }
}

static void bounds_are_written_in_seconds(void **state)
{
    static const struct {
        int64_t nanoseconds;
        const char *written;
    } rows[] = {
        {1, "0.000000001"}, {1000, "0.000001"},  {1500000, "0.0015"},
        {10000000, "0.01"}, {1000000000, "1.0"}, {12500000000, "12.5"},
    };
    char text[EXPOSITION_SECONDS_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        assert_string_equal(exposition_bound(rows[i].nanoseconds, text), rows[i].written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(a_long_value_is_cut_and_stays_a_value),
        cmocka_unit_test(numbers_are_written_whole),
        cmocka_unit_test(bounds_are_written_in_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
