/* Strict numbers from text: all of it or nothing. */
#include "vectors.h"

#include "base/number.h"

static void digits_are_read_up_to_the_largest_number(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } rows[] = {
        {"0", 0},
        {"9", 9},
        {"10", 10},
        {"007", 7},
        {"00000000000000000000000000000000000000001", 1},
        {"4294967295", 4294967295},
        {"4294967296", 4294967296},
        {"9223372036854775799", INT64_MAX - 8},
        {"9223372036854775806", INT64_MAX - 1},
        {"9223372036854775807", INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        size_t length = strlen(rows[i].text);
        char *text = exact_copy(rows[i].text, length);
        int64_t value = -1;

        expect(number_parse(text, length, &value) == 0, "%s is refused", rows[i].text);
        expect(value == rows[i].value, "%s is read as %lld", rows[i].text, (long long)value);
        free(text);
    }
}

static void anything_else_is_refused_and_writes_nothing(void **state)
{
    static const char *const rows[] = {
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "1.0",
        "0x10",
        "1e3",
        "1k",
        "one",
        "9223372036854775808",
        "9223372036854775810",
        "18446744073709551615",
        "18446744073709551616",
        "92233720368547758070",
        "99999999999999999999999999",
        "\xd9\xa1",
        "1_000",
        "1,000",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        size_t length = strlen(rows[i]);
        char *text = exact_copy(rows[i], length);
        int64_t value = -77;

        expect(number_parse(text, length, &value) == -1, "'%s' is taken", rows[i]);
        expect(value == -77, "'%s' writes %lld", rows[i], (long long)value);
        free(text);
    }
}

static void only_the_ten_digits_are_digits(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        const char text[3] = {'1', (char)byte, '2'};
        bool digit = byte >= '0' && byte <= '9';
        int64_t value = 0;

        expect((number_parse(text, 3, &value) == 0) == digit, "byte %02x in the middle", byte);
        expect((number_parse(text + 1, 1, &value) == 0) == digit, "byte %02x alone", byte);
    }
}

static void only_the_given_length_is_read(void **state)
{
    int64_t value;

    (void)state;
    assert_int_equal(number_parse("123456", 3, &value), 0);
    assert_int_equal(value, 123);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_are_read_up_to_the_largest_number),
        cmocka_unit_test(anything_else_is_refused_and_writes_nothing),
        cmocka_unit_test(only_the_ten_digits_are_digits),
        cmocka_unit_test(only_the_given_length_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
