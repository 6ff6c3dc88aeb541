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

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

void *huge_block_create(size_t size)
{
    size_t whole = align_up(size, page_size());
    size_t room = whole + HUGE_PAGE_SIZE;
    char *mapped = mmap(NULL, room, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    char *block;

    if (mapped == MAP_FAILED)
        return NULL;
    /* A huge page begins at a multiple of its size: what is mapped before and behind is not needed. */
    block = mapped + (align_up((uintptr_t)mapped, HUGE_PAGE_SIZE) - (uintptr_t)mapped);
    if (block > mapped)
        munmap(mapped, (size_t)(block - mapped));
    munmap(block + whole, (size_t)(mapped + room - (block + whole)));
    /* The rest at the end is too little for one, which would be resident whole. */
    if (whole >= HUGE_PAGE_SIZE)
        madvise(block, align_down(whole, HUGE_PAGE_SIZE), MADV_HUGEPAGE);
    return block;
}

void huge_block_give_back(void *part, size_t size)
{
    uintptr_t first = align_up((uintptr_t)part, page_size());
    uintptr_t end = align_down((uintptr_t)part + size, page_size());

    if (first < end)
        madvise((char *)part + (first - (uintptr_t)part), end - first, MADV_DONTNEED);
}

void huge_block_destroy(void **block, size_t size)
{
    if (*block != NULL)
        munmap(*block, align_up(size, page_size()));
    *block = NULL;
}
