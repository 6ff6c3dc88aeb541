/*
 * Has the processor fetch memory that will be needed in a moment. A wrong guess costs a fetch, and
 * nothing else: what is asked for may be anywhere.
 */
#ifndef BASE_PREFETCH_H
#define BASE_PREFETCH_H

#include <stddef.h>

enum { CACHE_LINE = 64 };

/* All the lines that size bytes, 1 or more, lie on: one more than they fill, where they begin in the
 * middle of one. */
static inline void prefetch_bytes(const void *bytes, size_t size)
{
    const char *first = bytes;

    for (size_t offset = 0; offset < size; offset += CACHE_LINE)
        __builtin_prefetch(first + offset);
    __builtin_prefetch(first + size - 1);
}

#endif
