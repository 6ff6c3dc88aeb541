#include "daemon/loop_memory.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/shortage.h"

/* All that libevent keeps of a client fits a block each; what it reads and writes at a time does not
 * where it is large, and may be refused: then it closes the client. A client takes some twenty. */
enum { BLOCK_SIZE = 1024, BLOCKS = 1024, LOW = 128 };

static alignas(max_align_t) uint8_t blocks[BLOCKS][BLOCK_SIZE];
static uint16_t unused[BLOCKS]; /* numbers of blocks that were used and are free again */
static size_t unused_count;
static size_t touched; /* blocks that were ever used: those before this one */

static bool is_block(const void *memory)
{
    uintptr_t at = (uintptr_t)memory;

    return at >= (uintptr_t)blocks && at < (uintptr_t)blocks + sizeof(blocks);
}

static void *take_block(size_t size)
{
    shortage_note();
    if (size > BLOCK_SIZE)
        return NULL;
    if (unused_count > 0)
        return blocks[unused[--unused_count]];
    return touched < BLOCKS ? blocks[touched++] : NULL;
}

static void *take(size_t size)
{
    void *memory = malloc(size);

    if (memory == NULL)
        memory = take_block(size);
    return memory;
}

static void release(void *memory)
{
    if (!is_block(memory))
        free(memory);
    else
        unused[unused_count++] = (uint16_t)(((uintptr_t)memory - (uintptr_t)blocks) / BLOCK_SIZE);
}

static void *move_out(void *block, size_t size)
{
    void *memory = size > BLOCK_SIZE ? malloc(size) : block;

    if (memory == NULL)
        shortage_note();
    else if (memory != block) {
        memcpy(memory, block, BLOCK_SIZE);
        release(block);
    }
    return memory;
}

static void *resize(void *memory, size_t size)
{
    void *resized;

    if (memory == NULL)
        return take(size);
    if (is_block(memory))
        return move_out(memory, size);
    resized = realloc(memory, size);
    if (resized == NULL)
        shortage_note();
    return resized;
}

void loop_memory_init(void)
{
    event_set_mem_functions(take, resize, release);
}

bool loop_memory_is_low(void)
{
    return BLOCKS - touched + unused_count < LOW;
}
