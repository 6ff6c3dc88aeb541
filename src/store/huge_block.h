/*
 * Memory in pages of two mebibytes, where the kernel has them to give: what is looked at all over, a
 * few bytes at a time, costs more in page tables than in bytes otherwise. Where it has none, these
 * are ordinary pages, and all else is the same.
 */
#ifndef STORE_HUGE_BLOCK_H
#define STORE_HUGE_BLOCK_H

#include <stddef.h>

/* A smaller block is of ordinary pages: of a huge one, resident whole once it is touched, too much
 * might never be used. */
enum { HUGE_BLOCK_MIN = 4 << 20 };

/* Zeroed memory of size bytes, 1 or more, that is not touched yet and takes nothing till then; it
 * begins with a page. Released with huge_block_destroy(). NULL where there is no room for it. */
void *huge_block_create(size_t size);

/* Gives a block of size bytes back and sets *block to NULL; NULL is allowed. */
void huge_block_destroy(void **block, size_t size);

#endif
