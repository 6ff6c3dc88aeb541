/*
 * What is asked about at random among thousands comes from far away, a cache line at a time: it
 * should lie on few of them, and be on its way before it is needed.
 */
#ifndef BASE_CACHE_LINE_H
#define BASE_CACHE_LINE_H

#include <stddef.h>

enum { CACHE_LINE = 64 };

/* Zeroed memory of size bytes, which are whole lines, that begins at one; NULL where memory is short.
 * The caller releases it with free(). */
void *cache_lines_alloc(size_t size);

/* Has the processor fetch size bytes that begin at a line. A wrong guess costs a fetch, and nothing
 * else: what is asked for may be anywhere. */
static inline void prefetch_lines(const void *lines, size_t size)
{
    for (size_t offset = 0; offset < size; offset += CACHE_LINE)
        __builtin_prefetch((const char *)lines + offset);
}

#endif
