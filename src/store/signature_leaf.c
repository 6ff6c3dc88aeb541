#include "store/signature_leaf.h"

/* How far a group is behind another, going round. */
static size_t distance(size_t from, size_t to)
{
    return to >= from ? to - from : to + LEAF_SLOTS - from;
}

/* A slot of a group whose id could stand in another group before it; LEAF_SLOTS: there is none. */
static size_t find_movable(const struct signature_leaf *leaf, const struct block_row *ids,
                           size_t group, size_t before)
{
    for (size_t slot = group; slot < group + LEAF_GROUP; slot++) {
        uint32_t entry = leaf->entries[slot];

        if (entry != 0 && distance(leaf_home(*signature_id_at(ids, leaf_place(entry))), group) >=
                              distance(before, group))
            return slot;
    }
    return LEAF_SLOTS;
}

void leaf_remove(struct signature_leaf *leaf, const struct block_row *ids, size_t slot)
{
    size_t gap = slot;
    size_t gap_group = slot - slot % LEAF_GROUP;
    bool was_full = leaf_gaps(leaf, gap_group) == 0;

    /* Ids that found their groups full stand behind them, and would not be found again behind a gap:
     * one moves up into it, and leaves a gap where it stood. */
    for (size_t group = leaf_next(gap_group); was_full; group = leaf_next(group)) {
        size_t movable = find_movable(leaf, ids, group, gap_group);

        was_full = leaf_gaps(leaf, group) == 0;
        if (movable == LEAF_SLOTS)
            continue;
        leaf->entries[gap] = leaf->entries[movable];
        gap = movable;
        gap_group = group;
    }
    leaf->entries[gap] = 0;
    leaf->count--;
}

/* The places of a leaf's ids; how many there are. */
static size_t places_of(const struct signature_leaf *leaf, uint32_t places_r[LEAF_SLOTS])
{
    size_t count = 0;

    /* Without a branch: which slots are free is anybody's guess. */
    for (size_t slot = 0; slot < LEAF_SLOTS; slot++) {
        places_r[count] = (uint32_t)leaf_place(leaf->entries[slot]);
        count += leaf->entries[slot] != 0;
    }
    return count;
}

void leaf_part(struct signature_leaf *leaf, const struct block_row *ids, uint64_t bit,
               struct signature_leaf *other)
{
    struct signature_leaf *const sides[] = {leaf, other};
    uint32_t places[LEAF_SLOTS];
    size_t count = places_of(leaf, places);

    /* They stand far from each other, and would be waited for one after the other else. */
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(signature_id_at(ids, places[i]));
    memset(leaf->entries, 0, sizeof(leaf->entries));
    leaf->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct signature_id id = *signature_id_at(ids, places[i]);

        leaf_add(sides[(id.high & bit) != 0], id, places[i]);
    }
}
