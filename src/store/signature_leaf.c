#include "store/signature_leaf.h"

#include <string.h>

/* How far a slot is behind another, going round. */
static size_t distance(size_t from, size_t to)
{
    return to >= from ? to - from : to + LEAF_SLOTS - from;
}

void leaf_remove(struct signature_leaf *leaf, const struct block_row *ids, size_t slot)
{
    size_t gap = slot;

    /* Whoever stands behind the gap, though it could stand in it or before, moves up: else it would
     * not be found again. */
    for (size_t next = leaf_next(gap); leaf->entries[next] != 0; next = leaf_next(next)) {
        size_t home = leaf_home(*signature_id_at(ids, leaf_place(leaf->entries[next])));

        if (distance(home, next) >= distance(gap, next)) {
            leaf->entries[gap] = leaf->entries[next];
            gap = next;
        }
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
