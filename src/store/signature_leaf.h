/*
 * A small part of a set of signatures: where each of its ids stands among all ids of the set, in
 * open addressing by groups. All entries of a group are looked at together: to go from one to the
 * next would leave the processor guessing when to stop, for every token anew. Some bits of the id
 * stand beside its place, so what is not there, as nearly every token that is looked for, is found
 * not to be there without a look at any id.
 */
#ifndef STORE_SIGNATURE_LEAF_H
#define STORE_SIGNATURE_LEAF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "store/block_row.h"
#include "store/signature_id.h"

/* A group is half of a cache line. With four fifths of all slots taken, the most, twelve of thirteen
 * ids stand in their own group, and a miss looks at two. */
enum { LEAF_GROUP = 8, LEAF_GROUPS = 63, LEAF_SLOTS = LEAF_GROUP * LEAF_GROUPS, LEAF_FULL = 400 };

/* An entry is 0 where its slot is free, else the id's tag and, 1 higher, its place. */
enum { LEAF_PLACE_BITS = 24, LEAF_PLACES = (1 << LEAF_PLACE_BITS) - 1 };

/* A zeroed one is empty. */
struct signature_leaf {
    uint32_t entries[LEAF_SLOTS];
    uint16_t count;
    uint8_t depth; /* of the set's tree: so many bits are the same in all ids here */
    uint8_t rest[29];
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

/* Groups are named by their first slot. The one in which the id is looked for first: */
static inline size_t leaf_home(struct signature_id id)
{
    return (size_t)((uint64_t)(uint32_t)id.low * LEAF_GROUPS >> 32) * LEAF_GROUP;
}

/* The group behind one. */
static inline size_t leaf_next(size_t group)
{
    return group + LEAF_GROUP == LEAF_SLOTS ? 0 : group + LEAF_GROUP;
}

/* Half of a group, and the same as two. */
typedef uint32_t leaf_half __attribute__((vector_size(LEAF_GROUP / 2 * sizeof(uint32_t))));
typedef uint64_t leaf_parts __attribute__((vector_size(sizeof(leaf_half))));

_Static_assert(LEAF_GROUP == 8 && 2 * sizeof(leaf_half) == LEAF_GROUP * sizeof(uint32_t),
               "a group is two halves of four entries");
_Static_assert(LEAF_FULL <= LEAF_SLOTS - 2, "two slots are free where an id is added");

/* A bit for each of a group's entries whose bits under a mask have this value. */
static inline unsigned leaf_match(const struct signature_leaf *leaf, size_t group, uint32_t mask,
                                  uint32_t value)
{
    leaf_half low, high;
    leaf_parts found;

    memcpy(&low, &leaf->entries[group], sizeof(low));
    memcpy(&high, &leaf->entries[group + LEAF_GROUP / 2], sizeof(high));
    low = (leaf_half)((low & mask) == value) & (leaf_half){1, 2, 4, 8};
    high = (leaf_half)((high & mask) == value) & (leaf_half){16, 32, 64, 128};
    found = (leaf_parts)(low | high);
    found[0] |= found[1];
    return (unsigned)(found[0] | found[0] >> 32);
}

/* Those of its slots that are free. */
static inline unsigned leaf_gaps(const struct signature_leaf *leaf, size_t group)
{
    return leaf_match(leaf, group, UINT32_MAX, 0);
}

/* The slot of the lowest bit; bits is not 0. */
static inline size_t leaf_slot(size_t group, unsigned bits)
{
    return group + (size_t)__builtin_ctz(bits);
}

/* The slot that holds the id, or the free one where it belongs; one is free. From an id's home on, no
 * group before its own has a gap. */
static inline size_t leaf_find(const struct signature_leaf *leaf, const struct block_row *ids,
                               struct signature_id id)
{
    const uint32_t tag_mask = ~(uint32_t)LEAF_PLACES;
    uint32_t tag = leaf_entry(id, 0) & tag_mask;

    for (size_t group = leaf_home(id);; group = leaf_next(group)) {
        unsigned gaps = leaf_gaps(leaf, group);
        unsigned alike = leaf_match(leaf, group, tag_mask, tag) & ~gaps;

        for (; alike != 0; alike &= alike - 1) {
            size_t slot = leaf_slot(group, alike);

            if (signature_id_is(*signature_id_at(ids, leaf_place(leaf->entries[slot])), id))
                return slot;
        }
        if (gaps != 0)
            return leaf_slot(group, gaps);
    }
}

/* Adds an id that is not there; two slots are free. */
static inline void leaf_add(struct signature_leaf *leaf, struct signature_id id, size_t place)
{
    size_t group = leaf_home(id);
    unsigned gaps;

    while ((gaps = leaf_gaps(leaf, group)) == 0)
        group = leaf_next(group);
    leaf->entries[leaf_slot(group, gaps)] = leaf_entry(id, place);
    leaf->count++;
}

/* Asks the processor for the memory that the functions above will look at. */
static inline void leaf_prefetch(const struct signature_leaf *leaf, struct signature_id id)
{
    __builtin_prefetch(&leaf->entries[leaf_home(id)], 1);
    __builtin_prefetch(&leaf->count, 1);
}

/* Takes out what a slot holds; one is free. */
void leaf_remove(struct signature_leaf *leaf, const struct block_row *ids, size_t slot);

/* Moves the ids that have this bit in their high half to another leaf, which is empty. */
void leaf_part(struct signature_leaf *leaf, const struct block_row *ids, uint64_t bit,
               struct signature_leaf *other);

#endif
