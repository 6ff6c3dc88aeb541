/* Bars of text: a history as columns, the latest on the right. */
#ifndef CTL_GRAPH_H
#define CTL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a row of so many columns, its end included. */
#define GRAPH_ROW_SIZE(columns) ((size_t)(columns)*3 + 1)

/*
 * Writes one row of a graph of values (none negative, oldest first), of which the last `columns`
 * are shown; where there are fewer, the left stays blank. Row 0 of rows is the top, and a value of
 * `most` (above 0) reaches it. A value above 0 shows at least the least bar. With eighths of block
 * characters in UTF-8, or with dots and bars in ASCII. Returns text_r.
 */
const char *graph_row(const double *values, size_t count, size_t columns, double most, size_t row,
                      size_t rows, bool is_utf8, char *text_r);

/* The least of 1, 2, 5, 10, 20, 50, ... that no value exceeds: a scale that does not jump at each
 * value. */
double graph_scale(const double *values, size_t count);

#endif
