/*
 * A row of items of one size that never move: it lies in blocks, the first of a page and each twice
 * as large as the one before. So memory is taken as items come, and what was taken stays in use.
 */
#ifndef STORE_BLOCK_ROW_H
#define STORE_BLOCK_ROW_H

#include <stddef.h>
#include <stdint.h>

/* All of them together would be some sixty gibibytes. */
enum { BLOCKS_MAX = 24, FIRST_BLOCK_SIZE = 4096 };

/* A zeroed row is an empty one. */
struct block_row {
    size_t count; /* items */
    size_t block_count;
    char *blocks[BLOCKS_MAX];
};

/* The item at an index below count; item_size divides FIRST_BLOCK_SIZE and is always the same. */
static inline void *block_row_at(const struct block_row *row, size_t item_size, size_t index)
{
    size_t offset = index * item_size;
    int block = 63 - __builtin_clzll(offset / FIRST_BLOCK_SIZE + 1);

    return row->blocks[block] + (offset - (((size_t)1 << block) - 1) * FIRST_BLOCK_SIZE);
}

/* Adds an item, zeroed unless one had been dropped from its place; it stays until the row is
 * cleared. NULL where memory is short. */
void *block_row_add(struct block_row *row, size_t item_size);

/* Takes the last item off; there is one. Its memory is kept for the next. */
void block_row_drop(struct block_row *row);

/* Gives all memory back and leaves the row empty. */
void block_row_clear(struct block_row *row);

#endif
