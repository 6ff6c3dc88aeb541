/* What logfmt.h writes is read back; whatever else there is, nothing is read beyond it. */
#include "vectors.h"

#include "base/logfmt.h"
#include "base/logfmt_line.h"

static const struct {
    const char *name, *line, *wanted;
    const char *expected; /* NULL: nothing */
} rows[] = {
    {"the first", "a=1 b=2", "a", "1"},
    {"the last", "a=1 b=2", "b", "2"},
    {"the first of two", "a=1 a=2", "a", "1"},
    {"the end of another name", "xa=1 a=2", "a", "2"},
    {"the beginning of another name", "ab=1 a=2", "a", "2"},
    {"within another's value", "x=\"a=1\" a=2", "a", "2"},
    {"quoted", "a=\"one two\" b=2", "a", "one two"},
    {"a quote in it", "a=\"say \\\"no\\\"\" b=2", "a", "say \"no\""},
    {"behind a quote", "a=\"say \\\"no\\\"\" b=2", "b", "2"},
    {"a backslash in it", "a=\"\\\\\"", "a", "\\"},
    {"what can't be printed", "a=\"\\x0a\"", "a", "\\x0a"},
    {"empty", "a= b=2", "a", ""},
    {"empty in quotes", "a=\"\" b=2", "a", ""},
    {"up to the line's end", "a=1\nb=2", "a", "1"},
    {"not beyond the line's end", "a=1\nb=2", "b", NULL},
    {"not there", "a=1", "b", NULL},
    {"an empty line", "", "a", NULL},
    {"no logfmt", "a b=1", "b", NULL},
    {"an open quote", "a=\"one", "a", "\"one"},
    {"a backslash at the end", "a=\"one\\", "a", "\"one\\"},
};

static void values_are_found_by_their_whole_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char value[32] = "untouched";
        bool found = logfmt_line_value(rows[i].line, rows[i].wanted, value, sizeof(value));

        expect(found == (rows[i].expected != NULL), "%s: %d", rows[i].name, found);
        expect(!found || strcmp(value, rows[i].expected) == 0, "%s: %s", rows[i].name, value);
    }
}

static void what_is_too_long_is_not_cut(void **state)
{
    char value[4];

    (void)state;
    assert_true(logfmt_line_value("a=abc", "a", value, sizeof(value)));
    assert_false(logfmt_line_value("a=abcd", "a", value, sizeof(value)));
    assert_false(logfmt_line_value("a=", "a", value, 0));
}

static void what_logfmt_writes_comes_back(void **state)
{
    static const char *const texts[] = {"plain", "", "two words", "a\"b\\c", "x=y", "\\\\\"\""};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        struct logfmt line = {.length = 0};
        char value[64];

        logfmt_text(&line, "before", texts[i]);
        logfmt_text(&line, "value", texts[i]);
        line.text[line.length] = '\0';
        expect(logfmt_line_value(line.text, "value", value, sizeof(value)), "row %zu", i);
        expect(strcmp(value, texts[i]) == 0, "row %zu: %s", i, value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_their_whole_name),
        cmocka_unit_test(what_is_too_long_is_not_cut),
        cmocka_unit_test(what_logfmt_writes_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
