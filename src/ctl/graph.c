#include "ctl/graph.h"

#include <string.h>

static const char *const blocks[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                     "\u2585", "\u2586", "\u2587", "\u2588"};
static const char *const marks[] = {" ", ".", ":", "|"};

/* The part of a value's bar that stands in a row, in steps of the row's height. */
static size_t part_in_row(double value, double most, size_t row, size_t rows, size_t steps)
{
    double height = value / most * (double)(rows * steps);
    size_t whole = height >= (double)(rows * steps) ? rows * steps : (size_t)(height + 0.5);
    size_t below = (rows - 1 - row) * steps;

    if (whole == 0 && value > 0)
        whole = 1;
    if (whole <= below)
        return 0;
    return whole - below < steps ? whole - below : steps;
}

const char *graph_row(const double *values, size_t count, size_t columns, double most, size_t row,
                      size_t rows, bool is_utf8, char *text_r)
{
    const char *const *glyphs = is_utf8 ? blocks : marks;
    size_t steps = is_utf8 ? 8 : 3;
    size_t shown = count < columns ? count : columns;
    char *at = text_r;

    memset(at, ' ', columns - shown);
    at += columns - shown;
    for (size_t i = count - shown; i < count; i++) {
        const char *glyph = glyphs[part_in_row(values[i], most, row, rows, steps)];
        size_t length = strlen(glyph);

        memcpy(at, glyph, length);
        at += length;
    }
    *at = '\0';
    return text_r;
}

double graph_scale(const double *values, size_t count)
{
    static const double factors[] = {2, 2.5, 2};
    double scale = 1;
    size_t next = 0;

    for (size_t i = 0; i < count; i++) {
        while (values[i] > scale && scale < 1e15) {
            scale *= factors[next];
            next = (next + 1) % 3;
        }
    }
    return scale;
}
