/* Memory that is released all at once: what is built together and dies together. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;

/* A zeroed arena is an empty one. */
struct arena {
    struct arena_block *blocks;
};

/* Zeroed memory of size bytes, aligned for anything; NULL where memory is short. Lives as long as
 * the arena. */
void *arena_alloc(struct arena *arena, size_t size);

/* A terminated copy of length bytes; NULL where memory is short. */
char *arena_copy(struct arena *arena, const char *text, size_t length);

/* Releases everything and leaves the arena empty. */
void arena_clear(struct arena *arena);

#endif
