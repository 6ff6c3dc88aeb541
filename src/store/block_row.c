#include "store/block_row.h"

#include "store/huge_block.h"

static size_t bytes_of_block(size_t number)
{
    return (size_t)FIRST_BLOCK_SIZE << number;
}

/* Of all blocks together. */
static size_t room(const struct block_row *row)
{
    return bytes_of_block(row->block_count) - FIRST_BLOCK_SIZE;
}

void *block_row_add(struct block_row *row, size_t item_size)
{
    if ((row->count + 1) * item_size > room(row)) {
        if (row->block_count == BLOCKS_MAX)
            return NULL;
        row->blocks[row->block_count] = huge_block_create(bytes_of_block(row->block_count));
        if (row->blocks[row->block_count] == NULL)
            return NULL;
        row->block_count++;
    }
    return block_row_at(row, item_size, row->count++);
}

void block_row_drop(struct block_row *row)
{
    row->count--;
}

void block_row_clear(struct block_row *row)
{
    for (size_t i = 0; i < row->block_count; i++) {
        void *block = row->blocks[i];

        huge_block_destroy(&block, bytes_of_block(i));
    }
    *row = (struct block_row){0};
}
