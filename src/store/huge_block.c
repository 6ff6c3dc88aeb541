#include "store/huge_block.h"

#include <stdint.h>
#include <unistd.h>

#include <sys/mman.h>

enum { HUGE_PAGE_SIZE = 2 << 20 };

/* To the next multiple, or the one before, of a power of two. */
static uintptr_t align_up(uintptr_t address, size_t to)
{
    return (address + to - 1) & ~(uintptr_t)(to - 1);
}

static uintptr_t align_down(uintptr_t address, size_t to)
{
    return address & ~(uintptr_t)(to - 1);
}

static size_t whole_pages(size_t size)
{
    return align_up(size, (size_t)sysconf(_SC_PAGESIZE));
}

static char *map(size_t size)
{
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return mapped == MAP_FAILED ? NULL : mapped;
}

/* A huge page begins at a multiple of its size: what is mapped before and behind is not needed. */
static char *map_aligned(size_t size)
{
    size_t room = size + HUGE_PAGE_SIZE;
    char *mapped = map(room);
    char *block;

    if (mapped == NULL)
        return NULL;
    block = mapped + (align_up((uintptr_t)mapped, HUGE_PAGE_SIZE) - (uintptr_t)mapped);
    if (block > mapped)
        munmap(mapped, (size_t)(block - mapped));
    munmap(block + size, (size_t)(mapped + room - (block + size)));
    return block;
}

void *huge_block_create(size_t size)
{
    size_t whole = whole_pages(size);
    char *block;

    if (size < HUGE_BLOCK_MIN)
        return map(whole);
    block = map_aligned(whole);
    /* The rest at the end is too little for one, which would be resident whole. */
    if (block != NULL)
        madvise(block, align_down(whole, HUGE_PAGE_SIZE), MADV_HUGEPAGE);
    return block;
}

void huge_block_destroy(void **block, size_t size)
{
    if (*block != NULL)
        munmap(*block, whole_pages(size));
    *block = NULL;
}
