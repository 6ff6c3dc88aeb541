#include "store/signature_set.h"

#include <stdlib.h>
#include <string.h>

/* So many ids don't share more bits by chance. */
enum { FIRST_DEPTH = 2, DEPTH_MAX = 22 };

size_t signature_set_count(const struct signature_set *set)
{
    return set->ids.count;
}

static size_t directory_size(const struct signature_set *set)
{
    return (size_t)1 << set->depth;
}

static size_t directory_bytes(const struct signature_set *set)
{
    return directory_size(set) * sizeof(struct signature_leaf *);
}

/* The directory is there. */
static struct signature_leaf *leaf_of(const struct signature_set *set, struct signature_id id)
{
    return set->directory[id.high & (directory_size(set) - 1)];
}

void signature_set_prefetch(const struct signature_set *set, struct signature_id id)
{
    if (set->directory != NULL)
        leaf_prefetch(leaf_of(set, id), id);
}

bool signature_set_holds(const struct signature_set *set, struct signature_id id)
{
    const struct signature_leaf *leaf = set->directory == NULL ? NULL : leaf_of(set, id);

    return leaf != NULL && leaf->entries[leaf_find(leaf, &set->ids, id)] != 0;
}

static struct signature_leaf *add_leaf(struct signature_set *set)
{
    return block_row_add(&set->leaves, sizeof(struct signature_leaf));
}

/* All of it leads to the first leaf. */
static int begin(struct signature_set *set)
{
    struct signature_leaf *leaf = add_leaf(set);

    set->depth = FIRST_DEPTH;
    if (leaf != NULL)
        set->directory = calloc(1, directory_bytes(set));
    if (set->directory == NULL) {
        signature_set_clear(set);
        return -1;
    }
    for (size_t i = 0; i < directory_size(set); i++)
        set->directory[i] = leaf;
    return 0;
}

/* Leads by a bit more, to the same leaves: its two halves are alike. */
static int deepen(struct signature_set *set)
{
    size_t size = directory_size(set);
    struct signature_leaf **larger;

    if (set->depth == DEPTH_MAX)
        return -1;
    larger = calloc(2, directory_bytes(set));
    if (larger == NULL)
        return -1;
    memcpy(larger, set->directory, directory_bytes(set));
    memcpy(larger + size, set->directory, directory_bytes(set));
    free(set->directory);
    set->directory = larger;
    set->depth++;
    return 0;
}

/* Parts the leaf that the id belongs to. */
static int part(struct signature_set *set, struct signature_id id)
{
    struct signature_leaf *leaf = leaf_of(set, id);
    uint64_t bit = UINT64_C(1) << leaf->depth;
    struct signature_leaf *other;

    if (leaf->depth == set->depth && deepen(set) != 0)
        return -1;
    other = add_leaf(set);
    if (other == NULL)
        return -1;
    leaf_part(leaf, &set->ids, bit, other);
    other->depth = ++leaf->depth;
    /* Wherever the bits before this one are the leaf's, and this one is set. */
    for (uint64_t i = (id.high & (bit - 1)) | bit; i < directory_size(set); i += 2 * bit)
        set->directory[i] = other;
    return 0;
}

/* The leaf that the id is to be added to; NULL where memory is short. Seldom anything is to be done,
 * so it is kept apart from what each spend runs through, which would put registers aside for it. */
__attribute__((noinline)) static struct signature_leaf *make_room(struct signature_set *set,
                                                                  struct signature_id id)
{
    if (set->directory == NULL && begin(set) != 0)
        return NULL;
    /* They may all fall on one side. */
    while (leaf_of(set, id)->count >= LEAF_FULL) {
        if (part(set, id) != 0)
            return NULL;
    }
    return leaf_of(set, id);
}

int signature_set_add(struct signature_set *set, struct signature_id id)
{
    struct signature_leaf *leaf = set->directory == NULL ? NULL : leaf_of(set, id);
    size_t place = set->ids.count;
    struct signature_id *added;

    if (place == SIGNATURE_SET_MAX)
        return -1;
    if (leaf == NULL || leaf->count >= LEAF_FULL)
        leaf = make_room(set, id);
    added = leaf == NULL ? NULL : block_row_add(&set->ids, sizeof(*added));
    if (added == NULL)
        return -1;
    *added = id;
    leaf_add(leaf, id, place);
    return 0;
}

/* The last of all ids takes the place of one that is in no leaf any more. */
static void fill_place(struct signature_set *set, size_t place)
{
    size_t last = set->ids.count - 1;
    struct signature_id moved = *signature_id_at(&set->ids, last);

    if (place != last) {
        struct signature_leaf *leaf = leaf_of(set, moved);

        leaf->entries[leaf_find(leaf, &set->ids, moved)] = leaf_entry(moved, place);
        *signature_id_at(&set->ids, place) = moved;
    }
    block_row_drop(&set->ids);
}

void signature_set_remove(struct signature_set *set, struct signature_id id)
{
    struct signature_leaf *leaf = set->directory == NULL ? NULL : leaf_of(set, id);
    size_t slot, place;

    if (leaf == NULL)
        return;
    slot = leaf_find(leaf, &set->ids, id);
    if (leaf->entries[slot] == 0)
        return;
    place = leaf_place(leaf->entries[slot]);
    leaf_remove(leaf, &set->ids, slot);
    fill_place(set, place);
}

void signature_set_clear(struct signature_set *set)
{
    free(set->directory);
    block_row_clear(&set->leaves);
    block_row_clear(&set->ids);
    *set = (struct signature_set){0};
}

size_t signature_set_memory(const struct signature_set *set)
{
    size_t directory = set->directory == NULL ? 0 : directory_bytes(set);

    return directory + set->leaves.count * sizeof(struct signature_leaf) +
           set->ids.count * sizeof(struct signature_id);
}
