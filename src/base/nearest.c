#include "base/nearest.h"

#include <string.h>

enum { WORD_MAX = 63 };

static size_t least(size_t a, size_t b, size_t c)
{
    size_t smaller = a < b ? a : b;

    return smaller < c ? smaller : c;
}

static size_t edit_distance(const char *from, size_t from_length, const char *to, size_t to_length)
{
    size_t row[WORD_MAX + 1];

    for (size_t j = 0; j <= to_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= from_length; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= to_length; j++) {
            size_t above = row[j];

            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (from[i - 1] != to[j - 1]));
            diagonal = above;
        }
    }
    return row[to_length];
}

const char *nearest_name(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word);
    size_t best_distance = WORD_MAX;
    const char *best = NULL;

    if (length > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t candidate_length = strlen(candidates[i]);
        size_t longer = candidate_length > length ? candidate_length : length;
        size_t distance;

        if (candidate_length > WORD_MAX)
            continue;
        distance = edit_distance(word, length, candidates[i], candidate_length);
        if (distance <= longer / 3 && distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}
