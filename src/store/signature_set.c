#include "store/signature_set.h"

#include <stdlib.h>
#include <string.h>

#include "store/huge_block.h"

enum {
    SMALLEST_CAPACITY = 8,
    GATHERED_CAPACITY = 4096, /* at the least: the 64 shards fill two huge pages then */
};
_Static_assert(SIGNATURE_SHARDS == 64, "a bit for each shard");

struct signature_id signature_id_of(const uint8_t *signature)
{
    struct signature_id id;

    memcpy(&id.low, signature, sizeof(id.low));
    memcpy(&id.high, signature + sizeof(id.low), sizeof(id.high));
    if (id.low == 0 && id.high == 0)
        id.low = 1;
    return id;
}

static size_t shard_index(struct signature_id id)
{
    return id.high % SIGNATURE_SHARDS;
}

/*
 * A byte for each slot, behind the slots: 0 where it is free, else some of the id's bits. What is not
 * there, as nearly every token that is looked for, is not there by these bytes alone: sixteen times
 * as many of them are in the processor's caches as there are ids.
 */
static uint8_t *tags_of(const struct signature_shard *shard)
{
    return (uint8_t *)(shard->slots + shard->capacity);
}

static uint8_t tag_of(struct signature_id id)
{
    uint8_t tag = (uint8_t)(id.high >> 56);

    return tag == 0 ? 1 : tag;
}

/* Where the id is looked for first. */
static uint32_t home_of(const struct signature_shard *shard, struct signature_id id)
{
    return (uint32_t)id.low & (shard->capacity - 1);
}

/* The slot that holds the id, or the free one where it belongs. The shard is never full. */
static uint32_t find_slot(const struct signature_shard *shard, struct signature_id id)
{
    const uint8_t *tags = tags_of(shard);
    uint32_t mask = shard->capacity - 1;
    uint32_t at = home_of(shard, id);
    uint8_t tag = tag_of(id);

    while (tags[at] != 0 &&
           (tags[at] != tag || shard->slots[at].low != id.low || shard->slots[at].high != id.high))
        at = (at + 1) & mask;
    return at;
}

static void put(const struct signature_shard *shard, uint32_t at, struct signature_id id)
{
    shard->slots[at] = id;
    tags_of(shard)[at] = tag_of(id);
}

void signature_set_prefetch(const struct signature_set *set, struct signature_id id)
{
    const struct signature_shard *shard = &set->shards[shard_index(id)];
    uint32_t home;

    if (shard->capacity == 0)
        return;
    home = home_of(shard, id);
    __builtin_prefetch(&tags_of(shard)[home], 1);
    __builtin_prefetch(&shard->slots[home], 1);
}

bool signature_set_holds(const struct signature_set *set, struct signature_id id)
{
    const struct signature_shard *shard = &set->shards[shard_index(id)];

    return shard->capacity != 0 && tags_of(shard)[find_slot(shard, id)] != 0;
}

static size_t memory_of(const struct signature_shard *shard)
{
    return shard->capacity * (sizeof(struct signature_id) + 1);
}

static bool is_inside(const struct signature_set *set, size_t index)
{
    return (set->gathering.inside >> index & 1) != 0;
}

static size_t gathering_size(const struct signature_gathering *gathering)
{
    return SIGNATURE_SHARDS * memory_of(&(struct signature_shard){.capacity = gathering->capacity});
}

static void leave_if_empty(struct signature_gathering *gathering)
{
    if (gathering->inside == 0 && gathering->moved == SIGNATURE_SHARDS)
        huge_block_destroy(&gathering->block, gathering_size(gathering));
}

/* Gives back what a shard has its slots in. */
static void release_slots(struct signature_set *set, size_t index)
{
    struct signature_gathering *gathering = &set->gathering;

    if (!is_inside(set, index)) {
        free(set->shards[index].slots);
        return;
    }
    gathering->inside &= ~(UINT64_C(1) << index);
    huge_block_give_back(set->shards[index].slots, memory_of(&set->shards[index]));
    leave_if_empty(gathering);
}

/* Begins where all shards are of one size; where there is no room for it, they stay where they are. */
static void begin_gathering(struct signature_set *set)
{
    uint32_t capacity = set->shards[0].capacity;

    if (set->gathering.block != NULL || capacity < GATHERED_CAPACITY)
        return;
    for (size_t i = 1; i < SIGNATURE_SHARDS; i++) {
        if (set->shards[i].capacity != capacity)
            return;
    }
    set->gathering = (struct signature_gathering){.capacity = capacity};
    set->gathering.block = huge_block_create(gathering_size(&set->gathering));
}

/* Moves one shard, the next in their order, so that the block takes no more memory than has been
 * given back elsewhere. */
static void gather_next(struct signature_set *set)
{
    struct signature_gathering *gathering = &set->gathering;
    size_t index = gathering->moved++;
    struct signature_shard *shard = &set->shards[index];
    size_t size = memory_of(shard);

    if (shard->capacity == gathering->capacity) {
        void *slots = (char *)gathering->block + index * size;

        memcpy(slots, shard->slots, size);
        free(shard->slots);
        shard->slots = slots;
        gathering->inside |= UINT64_C(1) << index;
    }
    /* They may all have grown meanwhile. */
    leave_if_empty(gathering);
}

static int grow(struct signature_set *set, size_t index)
{
    struct signature_shard *shard = &set->shards[index];
    struct signature_shard larger = {.count = shard->count};

    larger.capacity = shard->capacity == 0 ? SMALLEST_CAPACITY : shard->capacity * 2;
    larger.slots = calloc(1, memory_of(&larger));
    if (larger.slots == NULL)
        return -1;
    for (uint32_t i = 0; i < shard->capacity; i++) {
        if (tags_of(shard)[i] != 0)
            put(&larger, find_slot(&larger, shard->slots[i]), shard->slots[i]);
    }
    release_slots(set, index);
    *shard = larger;
    begin_gathering(set);
    return 0;
}

static bool is_gathering(const struct signature_set *set)
{
    return set->gathering.block != NULL && set->gathering.moved < SIGNATURE_SHARDS;
}

/*
 * What the set's memory needs before one more is put in. Seldom anything, so it is kept apart from
 * what each spend runs through, which would put aside all registers that this takes.
 */
__attribute__((noinline)) static int make_room(struct signature_set *set, size_t index,
                                               bool is_full)
{
    if (is_full)
        return grow(set, index);
    gather_next(set);
    return 0;
}

int signature_set_add(struct signature_set *set, struct signature_id id)
{
    size_t index = shard_index(id);
    struct signature_shard *shard = &set->shards[index];
    /* Three quarters full at the most: a miss then looks at nine tags or so. */
    bool is_full = shard->count >= shard->capacity / 4 * 3;

    if ((is_full || is_gathering(set)) && make_room(set, index, is_full) != 0)
        return -1;
    put(shard, find_slot(shard, id), id);
    shard->count++;
    set->count++;
    return 0;
}

void signature_set_remove(struct signature_set *set, struct signature_id id)
{
    struct signature_shard *shard = &set->shards[shard_index(id)];
    uint32_t mask = shard->capacity - 1;
    uint32_t gap;
    uint8_t *tags;

    if (!signature_set_holds(set, id))
        return;
    gap = find_slot(shard, id);
    tags = tags_of(shard);
    shard->count--;
    set->count--;
    /* Whoever stands behind the gap, though it could stand in it or before, moves up: else it would
     * not be found again. */
    for (uint32_t next = (gap + 1) & mask; tags[next] != 0; next = (next + 1) & mask) {
        if (((next - home_of(shard, shard->slots[next])) & mask) >= ((next - gap) & mask)) {
            put(shard, gap, shard->slots[next]);
            gap = next;
        }
    }
    shard->slots[gap] = (struct signature_id){0};
    tags[gap] = 0;
}

void signature_set_clear(struct signature_set *set)
{
    for (size_t i = 0; i < SIGNATURE_SHARDS; i++) {
        if (!is_inside(set, i))
            free(set->shards[i].slots);
    }
    huge_block_destroy(&set->gathering.block, gathering_size(&set->gathering));
    memset(set, 0, sizeof(*set));
}

size_t signature_set_memory(const struct signature_set *set)
{
    size_t memory = 0;

    for (size_t i = 0; i < SIGNATURE_SHARDS; i++)
        memory += memory_of(&set->shards[i]);
    return memory;
}
