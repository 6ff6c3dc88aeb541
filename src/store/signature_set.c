#include "store/signature_set.h"

#include <stdlib.h>
#include <string.h>

/* An id is looked for from the beginning of a cache line on, so that a look costs one miss. */
enum { LINE_SIZE = 64, SLOTS_A_LINE = LINE_SIZE / SIGNATURE_ID_SIZE, SMALLEST_CAPACITY = 8 };

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

static bool is_free(const struct signature_id *slot)
{
    return slot->low == 0 && slot->high == 0;
}

static uint32_t home_of(const struct signature_shard *shard, struct signature_id id)
{
    return (uint32_t)id.low & (shard->capacity - SLOTS_A_LINE);
}

/* The slot that holds the id, or the free one where it belongs. The shard is never full. */
static struct signature_id *find_slot(const struct signature_shard *shard, struct signature_id id)
{
    uint32_t mask = shard->capacity - 1;
    uint32_t at = home_of(shard, id);

    while (!is_free(&shard->slots[at]) &&
           (shard->slots[at].low != id.low || shard->slots[at].high != id.high))
        at = (at + 1) & mask;
    return &shard->slots[at];
}

void signature_set_prefetch(const struct signature_set *set, struct signature_id id)
{
    const struct signature_shard *shard = &set->shards[shard_index(id)];

    if (shard->capacity != 0)
        __builtin_prefetch(&shard->slots[home_of(shard, id)], 1);
}

bool signature_set_holds(const struct signature_set *set, struct signature_id id)
{
    const struct signature_shard *shard = &set->shards[shard_index(id)];

    return shard->capacity != 0 && !is_free(find_slot(shard, id));
}

/* Free slots that begin with a cache line; before them, where free_slots() finds it, the address that is to be freed. */
static struct signature_id *allocate_slots(uint32_t capacity)
{
    char *memory = calloc(1, capacity * sizeof(struct signature_id) + LINE_SIZE);
    struct signature_id *slots;

    if (memory == NULL)
        return NULL;
    slots = (struct signature_id *)(memory + LINE_SIZE - (uintptr_t)memory % LINE_SIZE);
    memcpy((char *)slots - sizeof(memory), &memory, sizeof(memory));
    /* cppcheck-suppress memleak */
    return slots;
}

static void free_slots(struct signature_id *slots)
{
    void *memory = NULL;

    if (slots != NULL)
        memcpy(&memory, (char *)slots - sizeof(memory), sizeof(memory));
    free(memory);
}

static int grow(struct signature_shard *shard)
{
    struct signature_shard larger = {.count = shard->count};

    larger.capacity = shard->capacity == 0 ? SMALLEST_CAPACITY : shard->capacity * 2;
    larger.slots = allocate_slots(larger.capacity);
    if (larger.slots == NULL)
        return -1;
    for (uint32_t i = 0; i < shard->capacity; i++) {
        if (!is_free(&shard->slots[i]))
            *find_slot(&larger, shard->slots[i]) = shard->slots[i];
    }
    free_slots(shard->slots);
    *shard = larger;
    return 0;
}

int signature_set_add(struct signature_set *set, struct signature_id id)
{
    struct signature_shard *shard = &set->shards[shard_index(id)];

    /* Three quarters full at the most: a miss then looks at two cache lines or so. */
    if (shard->count >= shard->capacity / 4 * 3 && grow(shard) != 0)
        return -1;
    *find_slot(shard, id) = id;
    shard->count++;
    set->count++;
    return 0;
}

void signature_set_remove(struct signature_set *set, struct signature_id id)
{
    struct signature_shard *shard = &set->shards[shard_index(id)];
    uint32_t mask = shard->capacity - 1;
    struct signature_id *gap = shard->capacity == 0 ? NULL : find_slot(shard, id);

    if (gap == NULL || is_free(gap))
        return;
    shard->count--;
    set->count--;
    /* Whoever stands behind the gap, though it could stand in it or before, moves up: else it would
     * not be found again. */
    for (uint32_t at = (uint32_t)(gap - shard->slots), next = at;;) {
        next = (next + 1) & mask;
        if (is_free(&shard->slots[next]))
            break;
        if (((next - home_of(shard, shard->slots[next])) & mask) >= ((next - at) & mask)) {
            shard->slots[at] = shard->slots[next];
            at = next;
            gap = &shard->slots[at];
        }
    }
    *gap = (struct signature_id){0};
}

void signature_set_clear(struct signature_set *set)
{
    for (size_t i = 0; i < SIGNATURE_SHARDS; i++)
        free_slots(set->shards[i].slots);
    memset(set, 0, sizeof(*set));
}

size_t signature_set_memory(const struct signature_set *set)
{
    size_t memory = 0;

    for (size_t i = 0; i < SIGNATURE_SHARDS; i++) {
        if (set->shards[i].capacity > 0)
            memory += set->shards[i].capacity * sizeof(struct signature_id) + LINE_SIZE;
    }
    return memory;
}
