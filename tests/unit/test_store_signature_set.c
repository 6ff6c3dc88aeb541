/* The set of truncated signatures: against a naive one, and its price in memory. */
#include "vectors.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/syscall.h>

#include "store/signature_set.h"

/* Where the parts of a large set are put side by side for the first and the second time: when the
 * last of them has grown. */
enum { GATHERED = 110000, GATHERED_TWICE = 220000 };

#if !SANITIZED
static bool memory_is_short, mapping_fails;

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t at)
{
    if (mapping_fails) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the call returns an address
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, at);
}

void *__libc_calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
    if (memory_is_short) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}
#endif

static struct signature_id random_id(uint64_t *random)
{
    uint8_t signature[HASH_SIZE_MAX];

    for (size_t i = 0; i < sizeof(signature); i += 8) {
        uint64_t word = random_next(random);

        memcpy(signature + i, &word, 8);
    }
    return signature_id_of(signature);
}

static int compare_ids(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct signature_id));
}

static void a_hundred_thousand_ids_are_held_and_no_other(void **state)
{
    enum { COUNT = 100000 };
    struct signature_id *ids = malloc(COUNT * sizeof(*ids)), *sorted;
    struct signature_set set = {0};
    uint64_t random = 7, others = 8;

    (void)state;
    assert_non_null(ids);
    for (size_t i = 0; i < COUNT; i++) {
        ids[i] = random_id(&random);
        expect(!signature_set_holds(&set, ids[i]), "id %zu before it is there", i);
        assert_int_equal(signature_set_add(&set, ids[i]), 0);
        expect(signature_set_holds(&set, ids[i]), "id %zu", i);
        expect(signature_set_holds(&set, ids[i / 2]), "id %zu after %zu", i / 2, i);
        expect(set.count == i + 1, "%zu of %zu", set.count, i + 1);
    }
    for (size_t i = 0; i < COUNT; i++)
        expect(signature_set_holds(&set, ids[i]), "id %zu", i);
    sorted = exact_copy(ids, COUNT * sizeof(*ids));
    qsort(sorted, COUNT, sizeof(*sorted), compare_ids);
    for (size_t i = 0; i < COUNT; i++) {
        struct signature_id other = random_id(&others);
        bool held = bsearch(&other, sorted, COUNT, sizeof(other), compare_ids) != NULL;

        expect(signature_set_holds(&set, other) == held, "other %zu", i);
        /* One bit off, and the halves changed over. */
        other = ids[i];
        other.low ^= UINT64_C(1) << i % 64;
        expect(!signature_set_holds(&set, other), "id %zu, one low bit off", i);
        other = ids[i];
        other.high ^= UINT64_C(1) << i % 64;
        expect(!signature_set_holds(&set, other), "id %zu, one high bit off", i);
        other = (struct signature_id){.low = ids[i].high, .high = ids[i].low};
        expect(!signature_set_holds(&set, other), "id %zu, changed over", i);
    }
    signature_set_clear(&set);
    free(sorted);
    free(ids);
}

/* Ids that all fall on one shard, and there on one slot: slow perhaps, but right. */
static void ids_that_collide_are_kept_apart(void **state)
{
    enum { COUNT = 2000 };
    struct signature_set set = {0};

    (void)state;
    for (uint64_t i = 0; i < COUNT; i++) {
        struct signature_id id = {.low = 5 + (i % 3 << 40), .high = (i + 1) << 6};

        expect(!signature_set_holds(&set, id), "id %llu before", (unsigned long long)i);
        assert_int_equal(signature_set_add(&set, id), 0);
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        struct signature_id id = {.low = 5 + (i % 3 << 40), .high = (i + 1) << 6};

        expect(signature_set_holds(&set, id), "id %llu", (unsigned long long)i);
        id.low = 5 + ((i + 1) % 3 << 40);
        expect(!signature_set_holds(&set, id), "not id %llu", (unsigned long long)i);
    }
    signature_set_clear(&set);
}

/* Few shards and few slots, so that ids stand in each other's places and wrap around the end. */
static struct signature_id crowded_id(uint64_t number)
{
    return (struct signature_id){.low = number % 5 + (number % 3 == 0 ? 6 : 0) +
                                        (number / 7 % 2 << 33),
                                 .high = (number + 1) << 6 | number % 2};
}

static size_t count_of_shards(const struct signature_set *set)
{
    size_t count = 0;

    for (size_t i = 0; i < SIGNATURE_SHARDS; i++)
        count += set->shards[i].count;
    return count;
}

static void ids_are_taken_out_and_no_other_is_lost(void **state)
{
    enum { IDS = 600 };
    static bool held[IDS];
    struct signature_set set = {0};
    uint64_t random = 14;
    size_t count = 0;

    (void)state;
    memset(held, 0, sizeof(held));
    signature_set_remove(&set, crowded_id(0));
    for (int round = 0; round < 20000; round++) {
        /* The set grows to some hundred, and shrinks to a few, over and over. */
        uint64_t number = random_below(&random, round / 500 % 2 == 0 ? IDS : 40);
        struct signature_id id = crowded_id(number);

        if (!held[number] && (round / 500 % 2 == 0 || random_below(&random, 4) == 0)) {
            assert_int_equal(signature_set_add(&set, id), 0);
            held[number] = true;
            count++;
        } else if (held[number] && random_below(&random, 3) != 0) {
            signature_set_remove(&set, id);
            held[number] = false;
            count--;
        } else if (!held[number]) {
            signature_set_remove(&set, id);
        }
        expect(set.count == count, "round %d: %zu, not %zu", round, set.count, count);
        expect(count_of_shards(&set) == count, "round %d", round);
        for (uint64_t i = round % 7; i < IDS; i += 7)
            expect(signature_set_holds(&set, crowded_id(i)) == held[i], "round %d, id %llu", round,
                   (unsigned long long)i);
    }
    for (uint64_t i = 0; i < IDS; i++)
        signature_set_remove(&set, crowded_id(i));
    assert_int_equal(set.count, 0);
    for (uint64_t i = 0; i < IDS; i++)
        expect(!signature_set_holds(&set, crowded_id(i)), "id %llu", (unsigned long long)i);
    signature_set_clear(&set);
}

static void add_and_check(struct signature_set *set, const struct signature_id *ids, size_t from,
                          size_t to)
{
    for (size_t i = from; i < to; i++) {
        expect(!signature_set_holds(set, ids[i]), "id %zu before it is there", i);
        expect(signature_set_add(set, ids[i]) == 0, "id %zu", i);
        expect(signature_set_holds(set, ids[i]), "id %zu", i);
        expect(signature_set_holds(set, ids[i * 7 / 9]), "id %zu after %zu", i * 7 / 9, i);
    }
}

/* The shards of a large set go into one block, leave it one by one as they grow, and go into the
 * next; ids are added and taken out at every stage. */
static void a_large_set_holds_its_ids_wherever_they_are_moved(void **state)
{
    struct signature_id *ids = malloc(GATHERED_TWICE * sizeof(*ids));
    struct signature_set set = {0};
    uint64_t random = 15;
    uint64_t before = 0, changes = 0;

    (void)state;
    assert_non_null(ids);
    for (size_t i = 0; i < GATHERED_TWICE; i++)
        ids[i] = random_id(&random);
    for (size_t i = 0; i < GATHERED_TWICE; i += 10) {
        add_and_check(&set, ids, i, i + 10);
        signature_set_remove(&set, ids[i]);
        expect(!signature_set_holds(&set, ids[i]), "id %zu is out", i);
        assert_int_equal(signature_set_add(&set, ids[i]), 0);
        changes += set.gathering.inside != before;
        before = set.gathering.inside;
    }
    /* In, out and in again. */
    expect(changes >= 3 * SIGNATURE_SHARDS / 10, "%llu changes", (unsigned long long)changes);
    assert_true(set.gathering.inside == UINT64_MAX);
    assert_int_equal(set.count, GATHERED_TWICE);
    for (size_t i = 0; i < GATHERED_TWICE; i++)
        expect(signature_set_holds(&set, ids[i]), "id %zu", i);
    signature_set_clear(&set);
    assert_null(set.gathering.block);
    free(ids);
}

/* At each moment of the move: what is cleared is all given back, which the sanitizers look after. */
static void a_set_is_cleared_while_its_shards_are_moved(void **state)
{
    struct signature_set set = {0};
    uint64_t random = 16;

    (void)state;
    for (unsigned moved = 0; moved <= SIGNATURE_SHARDS; moved += 16) {
        while (set.gathering.block == NULL || set.gathering.moved < moved)
            assert_int_equal(signature_set_add(&set, random_id(&random)), 0);
        signature_set_clear(&set);
        assert_int_equal(signature_set_memory(&set), 0);
    }
}

#if !SANITIZED
/* The second number of statm is the resident pages. */
static size_t mebibytes_resident(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    char line[128];
    char *resident = line;

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    assert_int_equal(fclose(file), 0);
    strtoul(line, &resident, 10);
    return strtoul(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE) >> 20;
}

/* Blocks that were left must not stay: neither while the set grows nor afterwards. */
static void moving_a_large_set_keeps_no_memory(void **state)
{
    size_t before = mebibytes_resident();

    (void)state;
    for (int round = 0; round < 5; round++) {
        struct signature_set set = {0};
        uint64_t random = 17;
        size_t most;

        for (size_t count = 1; count <= 2 * (size_t)GATHERED_TWICE; count++) {
            assert_int_equal(signature_set_add(&set, random_id(&random)), 0);
            most = before + 4 + (48 * count >> 20);
            if (count % 1000 == 0)
                expect(mebibytes_resident() <= most, "%zu tokens: %zu MiB, not %zu", count,
                       mebibytes_resident(), most);
        }
        signature_set_clear(&set);
        expect(mebibytes_resident() <= before + 4, "%zu MiB stay of %zu", mebibytes_resident(),
               before);
    }
}

static void a_large_set_does_without_a_block(void **state)
{
    struct signature_id *ids = malloc(GATHERED_TWICE * sizeof(*ids));
    struct signature_set set = {0};
    uint64_t random = 18;

    (void)state;
    assert_non_null(ids);
    for (size_t i = 0; i < GATHERED_TWICE; i++)
        ids[i] = random_id(&random);
    mapping_fails = true;
    add_and_check(&set, ids, 0, GATHERED);
    mapping_fails = false;
    assert_null(set.gathering.block);
    /* The next time there is room. */
    add_and_check(&set, ids, GATHERED, GATHERED_TWICE);
    assert_true(set.gathering.inside == UINT64_MAX);
    signature_set_clear(&set);
    free(ids);
}
#endif

static void an_id_is_the_first_sixteen_bytes_and_never_a_free_slots(void **state)
{
    uint8_t signature[HASH_SIZE_MAX] = {0};
    struct signature_set set = {0};
    struct signature_id zero, other;

    (void)state;
    zero = signature_id_of(signature);
    assert_true(zero.low != 0 || zero.high != 0);
    assert_false(signature_set_holds(&set, zero));
    assert_int_equal(signature_set_add(&set, zero), 0);
    assert_true(signature_set_holds(&set, zero));
    for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
        uint8_t *exact;

        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        exact = exact_copy(signature, sizeof(signature));
        other = signature_id_of(exact);
        free(exact);
        /* The one id that stands for nothing but zeros may be another's too: nobody finds a key
         * and message with that signature. */
        if (bit != 0)
            expect((other.low == zero.low && other.high == zero.high) ==
                       (bit / 8 >= SIGNATURE_ID_SIZE),
                   "bit %zu", bit);
        signature[bit / 8] = 0;
    }
    signature_set_clear(&set);
}

static void an_empty_and_a_cleared_set_hold_nothing(void **state)
{
    struct signature_set set = {0};
    uint64_t random = 9;
    struct signature_id id = random_id(&random);

    (void)state;
    assert_false(signature_set_holds(&set, id));
    signature_set_prefetch(&set, id);
    assert_int_equal(signature_set_memory(&set), 0);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(signature_set_add(&set, id), 0);
        signature_set_prefetch(&set, id);
        assert_true(signature_set_memory(&set) > 0);
        signature_set_clear(&set);
        assert_int_equal(set.count, 0);
        assert_int_equal(signature_set_memory(&set), 0);
        assert_false(signature_set_holds(&set, id));
    }
}

#if !SANITIZED
static size_t heap_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}
#endif

static void a_spent_token_costs_at_most_48_bytes(void **state)
{
    enum { MOST = 333000 };
    static const size_t counts[] = {1000, 10000, 100000, MOST};
    struct signature_set set = {0};
    uint64_t random = 10;
    size_t next = 0;
    double worst = 0;
    size_t worst_at = 0;
#if !SANITIZED
    size_t before = heap_in_use();
#endif

    (void)state;
    for (size_t count = 1; count <= MOST; count++) {
        double each;

        assert_int_equal(signature_set_add(&set, random_id(&random)), 0);
        each = (double)signature_set_memory(&set) / (double)count;
        if (count >= 1000 && each > worst) {
            worst = each;
            worst_at = count;
        }
        if (count == counts[next]) {
            print_message("%zu tokens: %.1f bytes each", count, each);
            expect(each <= 48, "%zu tokens: %.1f bytes each", count, each);
#if !SANITIZED
            /* In a block of its own it is none of the allocator's. */
            if (set.gathering.block == NULL) {
                each = (double)(heap_in_use() - before) / (double)count;
                print_message(", %.1f by the allocator", each);
                expect(each <= 48, "%zu tokens: %.1f bytes each by the allocator", count, each);
            }
#endif
            print_message("\n");
            next++;
        }
    }
    print_message("worst: %.1f bytes each at %zu tokens\n", worst, worst_at);
    expect(worst <= 48, "%.1f bytes each at %zu tokens", worst, worst_at);
    signature_set_clear(&set);
}

/* So that no answer waits for the whole set to be moved. */
static void no_addition_moves_more_than_a_small_part_of_the_set(void **state)
{
    struct signature_set set = {0};
    uint64_t random = 11;

    (void)state;
    for (size_t count = 0; count < 200000; count++) {
        uint32_t capacities[SIGNATURE_SHARDS], grown = 0;

        for (size_t i = 0; i < SIGNATURE_SHARDS; i++)
            capacities[i] = set.shards[i].capacity;
        assert_int_equal(signature_set_add(&set, random_id(&random)), 0);
        for (size_t i = 0; i < SIGNATURE_SHARDS; i++)
            grown += set.shards[i].capacity != capacities[i];
        expect(grown <= 1, "addition %zu grows %u shards", count, grown);
    }
    for (size_t i = 0; i < SIGNATURE_SHARDS; i++)
        expect(set.shards[i].count < set.count / 32, "shard %zu holds %u of %zu", i,
               set.shards[i].count, set.count);
    signature_set_clear(&set);
}

#if !SANITIZED
static void short_memory_leaves_the_set_as_it_was(void **state)
{
    enum { COUNT = 2000 };
    static struct signature_id ids[COUNT];
    struct signature_set set = {0};
    uint64_t random = 12;
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        int outcome;

        ids[i] = random_id(&random);
        memory_is_short = true;
        outcome = signature_set_add(&set, ids[i]);
        memory_is_short = false;
        if (outcome != 0) {
            refused++;
            expect(set.count == i, "id %zu is counted though refused", i);
            expect(!signature_set_holds(&set, ids[i]), "id %zu", i);
            expect(i == 0 || signature_set_holds(&set, ids[i / 2]), "id %zu", i / 2);
            assert_int_equal(signature_set_add(&set, ids[i]), 0);
        }
        expect(signature_set_holds(&set, ids[i]), "id %zu", i);
    }
    for (size_t i = 0; i < COUNT; i++)
        expect(signature_set_holds(&set, ids[i]), "id %zu", i);
    assert_true(refused >= SIGNATURE_SHARDS);
    signature_set_clear(&set);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_ids_are_held_and_no_other),
        cmocka_unit_test(ids_that_collide_are_kept_apart),
        cmocka_unit_test(ids_are_taken_out_and_no_other_is_lost),
        cmocka_unit_test(a_large_set_holds_its_ids_wherever_they_are_moved),
        cmocka_unit_test(a_set_is_cleared_while_its_shards_are_moved),
        cmocka_unit_test(an_id_is_the_first_sixteen_bytes_and_never_a_free_slots),
        cmocka_unit_test(an_empty_and_a_cleared_set_hold_nothing),
        cmocka_unit_test(a_spent_token_costs_at_most_48_bytes),
        cmocka_unit_test(no_addition_moves_more_than_a_small_part_of_the_set),
#if !SANITIZED
        cmocka_unit_test(short_memory_leaves_the_set_as_it_was),
        cmocka_unit_test(moving_a_large_set_keeps_no_memory),
        cmocka_unit_test(a_large_set_does_without_a_block),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
