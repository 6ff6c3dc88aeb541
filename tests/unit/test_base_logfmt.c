/* One line of logfmt: nothing that a peer names breaks out of its value. */
#include "vectors.h"

#include "base/logfmt.h"

static bool line_is(const struct logfmt *line, const char *expected)
{
    return line->length == strlen(expected) && memcmp(line->text, expected, line->length) == 0;
}

static void values_are_made_harmless(void **state)
{
    static const struct {
        const char *value;
        size_t length;
        const char *line;
    } rows[] = {
        {"alice", 5, "key=alice"},
        {"", 0, "key=\"\""},
        {"a b", 3, "key=\"a b\""},
        {"a=b", 3, "key=\"a=b\""},
        {"a\"b", 3, "key=\"a\\\"b\""},
        {"a\\b", 3, "key=\"a\\\\b\""},
        {"\\", 1, "key=\"\\\\\""},
        {"a\nlevel=info", 12, "key=\"a\\x0alevel=info\""},
        {"a\r", 2, "key=\"a\\x0d\""},
        {"a\0b", 3, "key=\"a\\x00b\""},
        {"\x1b[2J", 4, "key=\"\\x1b[2J\""},
        {"\x7f", 1, "key=\"\\x7f\""},
        {"\x9b", 1, "key=\"\\x9b\""},
        {"j\xc3\xbcrgen", 7, "key=\"j\\xc3\\xbcrgen\""},
        {"\xff", 1, "key=\"\\xff\""},
        {"it's,fine:[]{}<>|;", 18, "key=it's,fine:[]{}<>|;"},
        {"-1", 2, "key=-1"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char *exact = exact_copy(rows[i].value, rows[i].length);
        struct logfmt line = {.length = 0};

        logfmt_bytes(&line, "key", exact, rows[i].length);
        expect(line_is(&line, rows[i].line), "row %zu: %.*s", i, (int)line.length, line.text);
        free(exact);
    }
}

/* Reads a value back as the rules have it: quotes, and a backslash before what it escapes. */
static size_t read_back(const char *text, size_t length, unsigned char *value_r)
{
    size_t at = 0, size = 0;

    if (text[0] != '"') {
        memcpy(value_r, text, length);
        return length;
    }
    for (at = 1; text[at] != '"'; at++) {
        unsigned byte;

        if (text[at] != '\\') {
            value_r[size++] = (unsigned char)text[at];
        } else if (text[at + 1] != 'x') {
            value_r[size++] = (unsigned char)text[++at];
        } else {
            char digits[3] = {text[at + 2], text[at + 3], '\0'};

            byte = (unsigned)strtoul(digits, NULL, 16);
            value_r[size++] = (unsigned char)byte;
            at += 3;
        }
        assert_true(at < length);
    }
    assert_int_equal(at + 1, length);
    return size;
}

static void any_bytes_stay_on_one_line_and_can_be_read_back(void **state)
{
    uint64_t random = 37;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t length = random_below(&random, LOGFMT_VALUE_MAX + 1), size;
        unsigned char value[LOGFMT_VALUE_MAX], again[LOGFMT_LINE_MAX];
        struct logfmt line = {.length = 0};

        for (size_t i = 0; i < length; i++)
            value[i] = random_below(&random, 3) == 0 ? (unsigned char)"\n\"\\ =\0x"[i % 7]
                                                     : (unsigned char)random_next(&random);
        logfmt_bytes(&line, "k", (const char *)value, length);
        for (size_t i = 0; i < line.length; i++)
            expect(line.text[i] >= 0x20 && line.text[i] < 0x7f, "round %d, byte %zu", round, i);
        assert_memory_equal(line.text, "k=", 2);
        size = read_back(line.text + 2, line.length - 2, again);
        expect(size == length && memcmp(again, value, size) == 0, "round %d", round);
    }
}

static void a_long_value_is_cut_and_says_so(void **state)
{
    static const size_t lengths[] = {LOGFMT_VALUE_MAX - 1, LOGFMT_VALUE_MAX, LOGFMT_VALUE_MAX + 1,
                                     8191};
    static const char bytes[] = {'u', '\n'};
    char value[8191];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(lengths) * LENGTH_OF(bytes); i++) {
        size_t length = lengths[i / LENGTH_OF(bytes)];
        bool cut = length > LOGFMT_VALUE_MAX;
        size_t shown = cut ? LOGFMT_VALUE_MAX : length;
        bool quoted = bytes[i % LENGTH_OF(bytes)] == '\n';
        struct logfmt line = {.length = 0};

        memset(value, bytes[i % LENGTH_OF(bytes)], length);
        logfmt_bytes(&line, "k", value, length);
        expect(line.length ==
                   2 + shown * (quoted ? 4 : 1) + (quoted ? 2 : 0) + (cut ? strlen("...") : 0),
               "length %zu: %zu", length, line.length);
        if (cut)
            expect(memcmp(line.text + line.length - 3 - quoted, "...", 3) == 0, "length %zu",
                   length);
    }
}

static void what_does_not_fit_is_left_out_whole(void **state)
{
    (void)state;
    for (size_t length = 1; length <= LOGFMT_VALUE_MAX; length++) {
        struct logfmt line = {.length = 0};
        char value[LOGFMT_VALUE_MAX];
        size_t each = strlen(" key=") + length;

        memset(value, 'v', length);
        for (int i = 0; i < 1500; i++)
            logfmt_bytes(&line, "key", value, length);
        expect(line.length <= LOGFMT_LINE_MAX, "length %zu: %zu", length, line.length);
        expect((line.length + 1) % each == 0, "length %zu: %zu", length, line.length);
        expect(line.length + each > LOGFMT_LINE_MAX, "length %zu: %zu", length, line.length);
        /* A shorter one still finds its room. */
        if (line.length + strlen(" k=1") <= LOGFMT_LINE_MAX) {
            size_t before = line.length;

            logfmt_number(&line, "k", 1);
            expect(line.length == before + strlen(" k=1"), "length %zu", length);
        }
    }
}

static void keys_texts_and_numbers_make_a_line(void **state)
{
    struct logfmt line = {.length = 0}, other = {.length = 0}, none = {.length = 0};

    (void)state;
    logfmt_append(&line, &none);
    assert_int_equal(line.length, 0);
    logfmt_text(&line, "level", "info");
    logfmt_text(&line, "absent", NULL);
    logfmt_text(&line, "empty", "");
    logfmt_number(&line, "offset", -3600);
    logfmt_number(&line, "least", INT64_MIN);
    logfmt_number(&line, "most", INT64_MAX);
    logfmt_text(&other, "user", "bob");
    logfmt_append(&line, &other);
    logfmt_append(&line, &none);
    assert_true(line_is(&line, "level=info empty=\"\" offset=-3600 least=-9223372036854775808 "
                               "most=9223372036854775807 user=bob"));
    logfmt_append(&none, &other);
    assert_true(line_is(&none, "user=bob"));
}

static void another_line_is_appended_whole_or_not_at_all(void **state)
{
    struct logfmt other = {.length = 0};

    (void)state;
    logfmt_text(&other, "k", "123456");
    for (size_t length = LOGFMT_LINE_MAX - 20; length <= LOGFMT_LINE_MAX; length++) {
        bool fits = length + 1 + other.length <= LOGFMT_LINE_MAX;
        struct logfmt line;

        memset(line.text, 'x', sizeof(line.text));
        line.length = length;
        logfmt_append(&line, &other);
        expect(line.length == (fits ? length + 1 + other.length : length), "length %zu: %zu",
               length, line.length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_made_harmless),
        cmocka_unit_test(any_bytes_stay_on_one_line_and_can_be_read_back),
        cmocka_unit_test(a_long_value_is_cut_and_says_so),
        cmocka_unit_test(what_does_not_fit_is_left_out_whole),
        cmocka_unit_test(keys_texts_and_numbers_make_a_line),
        cmocka_unit_test(another_line_is_appended_whole_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
