/* The history as bars of text. */
#include "vectors.h"

#include "ctl/graph.h"

static void bars_grow_from_the_bottom_and_end_on_the_right(void **state)
{
    static const struct {
        double values[6];
        size_t count, columns;
        double most;
        const char *rows[3]; /* from the top */
        size_t row_count;
    } rows[] = {
        {{0}, 0, 4, 1, {"    "}, 1},
        {{0, 1}, 2, 4, 1, {"   |"}, 1},
        {{1, 2, 3}, 3, 3, 3, {".:|"}, 1},
        {{1, 2, 3, 3, 2, 1}, 6, 3, 3, {"|:."}, 1},
        {{1, 2, 3, 4, 5, 6}, 6, 6, 6, {"   .:|", ".:||||"}, 2},
        {{9, 6, 3, 0}, 4, 4, 9, {"|   ", "||  ", "||| "}, 3},
        /* Something is not nothing, however little. */
        {{0.001}, 1, 1, 1000, {" ", "."}, 2},
        /* And more than the most is the most. */
        {{50}, 1, 2, 10, {" |", " |"}, 2},
    };
    char text[GRAPH_ROW_SIZE(6)];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        for (size_t row = 0; row < rows[i].row_count; row++)
            expect(strcmp(graph_row(rows[i].values, rows[i].count, rows[i].columns, rows[i].most,
                                    row, rows[i].row_count, false, text),
                          rows[i].rows[row]) == 0,
                   "row %zu, line %zu: '%s'", i, row, text);
    }
}

static void blocks_have_eighths(void **state)
{
    static const double values[] = {0, 1, 2, 4, 7, 8};
    char text[GRAPH_ROW_SIZE(8)];

    (void)state;
    assert_string_equal(graph_row(values, 6, 8, 8, 0, 1, true, text), "   ▁▂▄▇█");
    assert_string_equal(graph_row(values, 6, 6, 8, 0, 2, true, text), "    ▆█");
    assert_string_equal(graph_row(values, 6, 6, 8, 1, 2, true, text), " ▂▄███");
}

static void the_scale_is_round_and_no_value_exceeds_it(void **state)
{
    static const struct {
        double value, scale;
    } rows[] = {{0, 1},    {0.5, 1},   {1, 1},      {1.1, 2},     {2, 2},
                {3, 5},    {5, 5},     {6, 10},     {11, 20},     {21, 50},
                {99, 100}, {101, 200}, {999, 1000}, {1001, 2000}, {123456, 200000}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        double values[] = {0, rows[i].value, 0.1};

        expect(graph_scale(values, 3) == rows[i].scale, "%g: %g", rows[i].value,
               graph_scale(values, 3));
    }
    assert_true(graph_scale(NULL, 0) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bars_grow_from_the_bottom_and_end_on_the_right),
        cmocka_unit_test(blocks_have_eighths),
        cmocka_unit_test(the_scale_is_round_and_no_value_exceeds_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
