/* "Did you mean": the known name that a mistyped one is nearest to. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/*
 * The name among count candidates with the smallest edit distance (Levenshtein) to word, the first
 * of several; NULL where none is within a third of the longer of the two lengths, for then a
 * suggestion would mislead. Borrowed from candidates.
 */
const char *nearest_name(const char *word, const char *const *candidates, size_t count);

#endif
