#include "base/name_table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/fingerprint.h"

/* What differs in a word's first bytes a fingerprint's step moves to the upper half, and the places of
 * names are taken from the lower. */
static uint64_t spread(uint64_t hash)
{
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

uint64_t name_table_hash(const struct name_table *table, const char *name, size_t length)
{
    uint64_t state = table->seed ^ length;
    const char *last;
    uint64_t word;

    if (length < 8)
        return spread(fingerprint(table->seed, name, length));
    last = name + length - 8;
    /* The last eight bytes, whichever of them were taken already: no byte is taken by itself. */
    for (; name < last; name += 8) {
        (void)take_u64((const uint8_t *)name, &word);
        state = fingerprint_step(state, word);
    }
    (void)take_u64((const uint8_t *)last, &word);
    return spread(fingerprint_step(state, word));
}

/* The slot that holds the name, or the free one where it belongs; capacity is not 0 and one slot is
 * free. */
static struct name_slot *find_slot(const struct name_table *table, const char *name, size_t length,
                                   uint64_t hash)
{
    size_t at = hash & (table->capacity - 1);

    while (table->slots[at].name != NULL &&
           (table->slots[at].hash != hash || table->slots[at].length != length ||
            memcmp(table->slots[at].name, name, length) != 0))
        at = (at + 1) & (table->capacity - 1);
    return &table->slots[at];
}

static uint64_t random_seed(void)
{
    uint64_t seed = FINGERPRINT_SEED;

    /* Where the kernel has no random numbers yet, names are found all the same. */
    (void)!getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
    return seed;
}

static int grow(struct name_table *table)
{
    struct name_table larger = {.count = table->count,
                                .capacity = table->capacity == 0 ? 8 : table->capacity * 2,
                                .seed = table->seed};

    larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
    if (larger.slots == NULL)
        return -1;
    for (size_t i = 0; i < table->capacity; i++) {
        const struct name_slot *slot = &table->slots[i];

        if (slot->name != NULL)
            *find_slot(&larger, slot->name, slot->length, slot->hash) = *slot;
    }
    free(table->slots);
    *table = larger;
    return 0;
}

int name_table_add(struct name_table *table, const char *name, size_t length, void *value)
{
    uint64_t hash;

    if (table->capacity == 0)
        table->seed = random_seed();
    if (table->count >= table->capacity / 4 * 3 && grow(table) != 0)
        return -1;
    hash = name_table_hash(table, name, length);
    *find_slot(table, name, length, hash) =
        (struct name_slot){.name = name, .length = length, .hash = hash, .value = value};
    table->count++;
    return 0;
}

void *name_table_find(const struct name_table *table, const char *name, size_t length)
{
    uint64_t hash;

    if (table->capacity == 0)
        return NULL;
    hash = name_table_hash(table, name, length);
    /* With many names the value comes from far away, like the name that is compared first. */
    __builtin_prefetch(table->slots[hash & (table->capacity - 1)].value);
    return find_slot(table, name, length, hash)->value;
}

void name_table_remove(struct name_table *table, const char *name, size_t length)
{
    size_t mask = table->capacity - 1;
    struct name_slot *slot =
        table->capacity == 0 ? NULL
                             : find_slot(table, name, length, name_table_hash(table, name, length));
    size_t gap;

    if (slot == NULL || slot->name == NULL)
        return;
    gap = (size_t)(slot - table->slots);
    table->count--;
    /* Whoever stands behind the gap, though it could stand in it or before, moves up: else it would
     * not be found again. */
    for (size_t next = (gap + 1) & mask; table->slots[next].name != NULL;
         next = (next + 1) & mask) {
        if (((next - table->slots[next].hash) & mask) >= ((next - gap) & mask)) {
            table->slots[gap] = table->slots[next];
            gap = next;
        }
    }
    table->slots[gap] = (struct name_slot){0};
}

void name_table_clear(struct name_table *table)
{
    free(table->slots);
    *table = (struct name_table){0};
}
