/*
 * A set of truncated signatures, 16 bytes each and one more, in open addressing. It is split into
 * shards that grow one at a time, so that no insertion ever moves more than a 64th of the set.
 */
#ifndef STORE_SIGNATURE_SET_H
#define STORE_SIGNATURE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIGNATURE_ID_SIZE = 16, SIGNATURE_SHARDS = 64 };

/* The first bytes of a computed signature: keyed, so nobody without the key can aim at a collision.
 */
struct signature_id {
    uint64_t low, high;
};

struct signature_shard {
    struct signature_id *slots; /* behind them a byte for each */
    uint32_t count;
    uint32_t capacity; /* a power of two, or 0 */
};

/*
 * The shards of a large set, moved into one block once they are all of one size: in a million tokens
 * nearly every look would miss the processor's table of pages else. A shard that grows leaves it.
 */
struct signature_gathering {
    void *block;       /* NULL: nothing is gathered */
    uint32_t capacity; /* of the shards that have a place there, in the shards' order */
    uint32_t moved;    /* the shards that were asked in so far */
    uint64_t inside;   /* a bit for each shard that is there */
};

struct signature_set {
    size_t count;
    struct signature_gathering gathering;
    struct signature_shard shards[SIGNATURE_SHARDS];
};

/* The id of a computed signature of SIGNATURE_ID_SIZE bytes or more. Never both halves zero. */
struct signature_id signature_id_of(const uint8_t *signature);

/* Whether the id is in the set. */
bool signature_set_holds(const struct signature_set *set, struct signature_id id);

/* Asks the processor for the memory that signature_set_holds() will look at first. */
void signature_set_prefetch(const struct signature_set *set, struct signature_id id);

/* Adds an id that the set does not hold. Returns 0, or -1 where memory is short (the set is as it
 * was). */
__attribute__((warn_unused_result)) int signature_set_add(struct signature_set *set,
                                                          struct signature_id id);

/* Takes an id out, if the set holds it. */
void signature_set_remove(struct signature_set *set, struct signature_id id);

/* Frees what the set holds and leaves it empty; a zeroed set is an empty one. */
void signature_set_clear(struct signature_set *set);

/* Bytes of memory that the shards have. */
size_t signature_set_memory(const struct signature_set *set);

#endif
