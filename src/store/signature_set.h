/*
 * A set of truncated signatures. The ids stand one behind the other, as they came; where each of
 * them stands is found by extendible hashing (Fagin and others, 1979): a directory leads by some
 * bits of an id to the one small leaf that may know it. A leaf that is full is parted in two, and
 * where they are told apart by a bit more than the directory has, the directory doubles. So an
 * addition never moves more than a leaf and the directory, and memory that was taken stays in use.
 */
#ifndef STORE_SIGNATURE_SET_H
#define STORE_SIGNATURE_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "store/signature_leaf.h"

struct signature_set {
    struct block_row ids;
    struct signature_leaf **directory; /* of 2^depth; NULL: the set is empty */
    unsigned depth;
    struct block_row leaves;
};

/* How many ids a set can hold. */
enum { SIGNATURE_SET_MAX = LEAF_PLACES };

/* How many are there. */
size_t signature_set_count(const struct signature_set *set);

/* Whether the id is in the set. */
bool signature_set_holds(const struct signature_set *set, struct signature_id id);

/* Asks the processor for the memory that signature_set_holds() will look at first. */
void signature_set_prefetch(const struct signature_set *set, struct signature_id id);

/* Adds an id that the set does not hold. Returns 0, or -1 where memory is short or
 * SIGNATURE_SET_MAX are there (the set holds what it held). */
__attribute__((warn_unused_result)) int signature_set_add(struct signature_set *set,
                                                          struct signature_id id);

/* Takes an id out, if the set holds it; its place is used again. */
void signature_set_remove(struct signature_set *set, struct signature_id id);

/* Frees what the set holds and leaves it empty; a zeroed set is an empty one. */
void signature_set_clear(struct signature_set *set);

/* Bytes that ids, leaves and directory take up. */
size_t signature_set_memory(const struct signature_set *set);

#endif
