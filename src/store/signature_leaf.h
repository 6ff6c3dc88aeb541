/*
 * A small part of a set of signatures: where each of its ids stands among all ids of the set, in
 * open addressing. Some bits of the id stand beside it, so what is not there, as nearly every token
 * that is looked for, is found not to be there without a look at any id.
 */
#ifndef STORE_SIGNATURE_LEAF_H
#define STORE_SIGNATURE_LEAF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/block_row.h"
#include "store/signature_id.h"

/* Four fifths full at the most: a miss then looks at eleven entries or so. */
enum { LEAF_SLOTS = 510, LEAF_FULL = 400 };

/* An entry is 0 where its slot is free, else the id's tag and, 1 higher, its place. */
enum { LEAF_PLACE_BITS = 24, LEAF_PLACES = (1 << LEAF_PLACE_BITS) - 1 };

/* A zeroed one is empty. */
struct signature_leaf {
    uint32_t entries[LEAF_SLOTS];
    uint16_t count;
    uint8_t depth; /* of the set's tree: so many bits are the same in all ids here */
    uint8_t rest[5];
};
_Static_assert(sizeof(struct signature_leaf) == 2048, "leaves fill pages");

/* All ids of a set, by their places. */
static inline struct signature_id *signature_id_at(const struct block_row *ids, size_t place)
{
    return block_row_at(ids, sizeof(struct signature_id), place);
}

static inline uint32_t leaf_entry(struct signature_id id, size_t place)
{
    return (uint32_t)(id.high >> 56) << LEAF_PLACE_BITS | ((uint32_t)place + 1);
}

static inline size_t leaf_place(uint32_t entry)
{
    return (entry & LEAF_PLACES) - 1;
}

/* Where the id is looked for first. */
static inline size_t leaf_home(struct signature_id id)
{
    return (size_t)((uint64_t)(uint32_t)id.low * LEAF_SLOTS >> 32);
}

static inline size_t leaf_next(size_t slot)
{
    return slot + 1 == LEAF_SLOTS ? 0 : slot + 1;
}

/* The slot that holds the id, or the free one where it belongs; one is free. */
static inline size_t leaf_find(const struct signature_leaf *leaf, const struct block_row *ids,
                               struct signature_id id)
{
    uint32_t tag = leaf_entry(id, 0) & ~(uint32_t)LEAF_PLACES;
    size_t slot = leaf_home(id);

    for (uint32_t entry; (entry = leaf->entries[slot]) != 0; slot = leaf_next(slot)) {
        if ((entry & ~(uint32_t)LEAF_PLACES) == tag &&
            signature_id_is(*signature_id_at(ids, leaf_place(entry)), id))
            break;
    }
    return slot;
}

/* Adds an id that is not there; two slots are free. */
static inline void leaf_add(struct signature_leaf *leaf, struct signature_id id, size_t place)
{
    size_t slot = leaf_home(id);

    while (leaf->entries[slot] != 0)
        slot = leaf_next(slot);
    leaf->entries[slot] = leaf_entry(id, place);
    leaf->count++;
}

/* Asks the processor for the memory that the functions above will look at. */
static inline void leaf_prefetch(const struct signature_leaf *leaf, struct signature_id id)
{
    __builtin_prefetch(&leaf->entries[leaf_home(id)], 1);
    __builtin_prefetch(&leaf->count, 1);
}

/* Takes out what a slot holds. */
void leaf_remove(struct signature_leaf *leaf, const struct block_row *ids, size_t slot);

/* Moves the ids that have this bit in their high half to another leaf, which is empty. */
void leaf_part(struct signature_leaf *leaf, const struct block_row *ids, uint64_t bit,
               struct signature_leaf *other);

#endif
