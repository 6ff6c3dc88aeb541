/* The set of truncated signatures: against a naive one, its price in memory, and its ends. */
#include "vectors.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/syscall.h>

#include "store/signature_set.h"

#if !SANITIZED
/* Requests for memory that are refused: those of either call, or all after so many of both. A test
 * that would take more than the machine has is refused it too. */
static bool callocs_fail, mappings_fail;
static int requests_until_short = -1; /* -1: memory is never short */
static size_t largest_calloc = SIZE_MAX;

static bool is_refused(bool fails)
{
    if (requests_until_short == 0)
        fails = true;
    else if (requests_until_short > 0)
        requests_until_short--;
    if (fails)
        errno = ENOMEM;
    return fails;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, off_t at)
{
    if (is_refused(mappings_fail))
        return MAP_FAILED;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the call returns an address
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, at);
}

void *__libc_calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
    return is_refused(callocs_fail || count * size > largest_calloc) ? NULL
                                                                     : __libc_calloc(count, size);
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

static const struct signature_leaf *leaf_at(const struct signature_set *set, size_t number)
{
    return block_row_at(&set->leaves, sizeof(struct signature_leaf), number);
}

static size_t leads(const struct signature_set *set)
{
    return set->directory == NULL ? 0 : (size_t)1 << set->depth;
}

/* What all of it relies on: each id is in one leaf, once, where the directory leads to by the id,
 * and can be found there; no leaf is too full, and its ids share the bits that it says. */
static void check_whole(const struct signature_set *set)
{
    size_t known = 0;

    for (size_t number = 0; number < set->leaves.count; number++) {
        const struct signature_leaf *leaf = leaf_at(set, number);
        size_t count = 0;

        expect(leaf->count <= LEAF_FULL, "leaf %zu holds %u", number, leaf->count);
        expect(leaf->depth <= set->depth, "leaf %zu is %u deep", number, leaf->depth);
        for (size_t slot = 0; slot < LEAF_SLOTS; slot++) {
            struct signature_id id;

            if (leaf->entries[slot] == 0)
                continue;
            count++;
            expect(leaf_place(leaf->entries[slot]) < set->ids.count, "leaf %zu, slot %zu", number,
                   slot);
            id = *signature_id_at(&set->ids, leaf_place(leaf->entries[slot]));
            expect(set->directory[id.high & (leads(set) - 1)] == leaf, "leaf %zu, slot %zu", number,
                   slot);
            expect(leaf_find(leaf, &set->ids, id) == slot, "leaf %zu, slot %zu", number, slot);
        }
        expect(count == leaf->count, "leaf %zu: %u, not %zu", number, leaf->count, count);
        known += count;
    }
    expect(known == signature_set_count(set), "%zu of %zu", known, signature_set_count(set));
    for (size_t i = 0; i < leads(set); i++) {
        size_t alike = i & (((size_t)1 << set->directory[i]->depth) - 1);

        expect(set->directory[i] == set->directory[alike], "directory, %zu", i);
    }
    expect(signature_set_memory(set) == leads(set) * sizeof(void *) +
                                            set->leaves.count * sizeof(struct signature_leaf) +
                                            set->ids.count * sizeof(struct signature_id),
           "%zu bytes", signature_set_memory(set));
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
        expect(signature_set_count(&set) == i + 1, "%zu of %zu", signature_set_count(&set), i + 1);
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

/* Ids of one leaf for as long as can be, of one home there and of few tags: slow perhaps, but right. */
static struct signature_id colliding_id(uint64_t number)
{
    return (struct signature_id){.low = 5 + (number % 3 << 40), .high = (number + 1) << 12};
}

static void ids_that_collide_are_kept_apart(void **state)
{
    enum { COUNT = 2000 };
    struct signature_set set = {0};

    (void)state;
    for (uint64_t i = 0; i < COUNT; i++) {
        expect(!signature_set_holds(&set, colliding_id(i)), "id %llu before",
               (unsigned long long)i);
        assert_int_equal(signature_set_add(&set, colliding_id(i)), 0);
    }
    check_whole(&set);
    for (uint64_t i = 0; i < COUNT; i++) {
        struct signature_id id = colliding_id(i);

        expect(signature_set_holds(&set, id), "id %llu", (unsigned long long)i);
        id.low = 5 + ((i + 1) % 3 << 40);
        expect(!signature_set_holds(&set, id), "not id %llu", (unsigned long long)i);
    }
    signature_set_clear(&set);
}

/* A leaf holds four hundred, and the next one is told from them by a bit more. */
static void a_leaf_is_parted_when_it_is_full_and_not_before(void **state)
{
    static const struct {
        size_t ids, leaves;
        unsigned depth;
    } rows[] = {{1, 1, 2},    {400, 1, 2},  {401, 2, 2},  {800, 2, 2},  {801, 3, 2}, {802, 4, 2},
                {1600, 4, 2}, {1601, 5, 3}, {1602, 6, 3}, {3200, 8, 3}, {3201, 9, 4}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct signature_set set = {0};

        /* As even as can be: by their numbers. */
        for (uint64_t number = 0; number < rows[i].ids; number++) {
            struct signature_id id = {.low = number << 25, .high = number};

            assert_int_equal(signature_set_add(&set, id), 0);
        }
        check_whole(&set);
        expect(set.leaves.count == rows[i].leaves && set.depth == rows[i].depth,
               "%zu ids: %zu leaves, %u deep", rows[i].ids, set.leaves.count, set.depth);
        signature_set_clear(&set);
    }
}

/* Their leaf can't be told apart before the directory is deep; those of others stay as they are. */
static void ids_that_share_many_bits_are_told_apart_at_last(void **state)
{
    enum { ALIKE = 2000, SHARED = 17, OTHERS = 1000 };
    static struct signature_id alike[ALIKE], others[OTHERS];
    struct signature_set set = {0};
    uint64_t random = 13;

    (void)state;
    for (size_t i = 0; i < OTHERS; i++) {
        others[i] = random_id(&random);
        if (i < OTHERS / 2)
            assert_int_equal(signature_set_add(&set, others[i]), 0);
    }
    for (size_t i = 0; i < ALIKE; i++) {
        alike[i] = random_id(&random);
        alike[i].high = alike[i].high << SHARED | 0x1555;
        expect(!signature_set_holds(&set, alike[i]), "id %zu before it is there", i);
        assert_int_equal(signature_set_add(&set, alike[i]), 0);
        expect(signature_set_holds(&set, alike[i / 2]), "id %zu after %zu", i / 2, i);
    }
    check_whole(&set);
    expect(set.depth > SHARED, "%u deep", set.depth);
    /* One for each bit, and those that the ids are parted into at last. */
    expect(set.leaves.count < SHARED + 4 * ALIKE / LEAF_FULL + 4 * OTHERS / LEAF_FULL, "%zu leaves",
           set.leaves.count);
    for (size_t i = OTHERS / 2; i < OTHERS; i++)
        assert_int_equal(signature_set_add(&set, others[i]), 0);
    for (size_t i = 0; i < ALIKE; i += 2)
        signature_set_remove(&set, alike[i]);
    check_whole(&set);
    for (size_t i = 0; i < ALIKE; i++)
        expect(signature_set_holds(&set, alike[i]) == (i % 2 != 0), "id %zu", i);
    for (size_t i = 0; i < OTHERS; i++)
        expect(signature_set_holds(&set, others[i]), "other %zu", i);
    signature_set_clear(&set);
}

/* Of two leaves, and of few homes at the end of each, so that ids stand in each other's places and
 * wrap around. */
static struct signature_id crowded_id(uint64_t number)
{
    return (struct signature_id){.low =
                                     0xffffffff - number % 9 * 0x1000000 + (number / 7 % 2 << 33),
                                 .high = number % 2 << 56 | (number + 1) << 6 | number % 2};
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
        expect(signature_set_count(&set) == count, "round %d: %zu, not %zu", round,
               signature_set_count(&set), count);
        if (round % 5 == 0)
            check_whole(&set);
        for (uint64_t i = round % 7; i < IDS; i += 7)
            expect(signature_set_holds(&set, crowded_id(i)) == held[i], "round %d, id %llu", round,
                   (unsigned long long)i);
    }
    for (uint64_t i = 0; i < IDS; i++)
        signature_set_remove(&set, crowded_id(i));
    assert_int_equal(signature_set_count(&set), 0);
    check_whole(&set);
    for (uint64_t i = 0; i < IDS; i++)
        expect(!signature_set_holds(&set, crowded_id(i)), "id %llu", (unsigned long long)i);
    signature_set_clear(&set);
}

/* The attack: while the disk fails, each login is spent and forgotten again, the same valid token for
 * ever, or a new one each time. The last id takes the place of the one that goes. */
static void what_is_added_and_removed_for_ever_takes_no_more_memory(void **state)
{
    static const struct {
        const char *name;
        size_t others;
        bool new_each_time;
    } rows[] = {
        {"the same, in an empty set", 0, false}, {"the same, behind a block's last", 256, false},
        {"the same, beside many", 30000, false}, {"another, in an empty set", 0, true},
        {"another, beside many", 30000, true},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct signature_set set = {0};
        uint64_t random = 19;
        struct signature_id id, first = {0};
        size_t blocks = 0, memory = 0;

        for (size_t other = 0; other < rows[i].others; other++) {
            id = random_id(&random);
            first = other == 0 ? id : first;
            assert_int_equal(signature_set_add(&set, id), 0);
        }
        id = random_id(&random);
        for (int round = 0; round < 100000; round++) {
            assert_int_equal(signature_set_add(&set, id), 0);
            /* Leaves that are full meanwhile have been parted by then. */
            if (round == (rows[i].new_each_time ? 50000 : 0)) {
                blocks = set.ids.block_count + set.leaves.block_count;
                memory = signature_set_memory(&set);
            }
            if (blocks != 0)
                expect(signature_set_memory(&set) == memory &&
                           set.ids.block_count + set.leaves.block_count == blocks,
                       "%s: round %d: %zu bytes, not %zu", rows[i].name, round,
                       signature_set_memory(&set), memory);
            signature_set_remove(&set, id);
            expect(signature_set_count(&set) == rows[i].others, "%s: round %d: %zu ids",
                   rows[i].name, round, signature_set_count(&set));
            if (rows[i].new_each_time)
                id = random_id(&random);
        }
        check_whole(&set);
        expect(rows[i].others == 0 || signature_set_holds(&set, first), "%s", rows[i].name);
        /* The very first too, whose place another takes. */
        signature_set_remove(&set, first);
        assert_int_equal(signature_set_add(&set, first), 0);
        expect(signature_set_memory(&set) <= memory + sizeof(struct signature_leaf), "%s",
               rows[i].name);
        check_whole(&set);
        signature_set_clear(&set);
    }
}

/* Ids are added and taken out at every size, from one leaf to some thousand. */
static void a_large_set_holds_its_ids_over_many_doublings(void **state)
{
    enum { COUNT = 220000 };
    struct signature_id *ids = malloc(COUNT * sizeof(*ids));
    struct signature_set set = {0};
    uint64_t random = 15;
    unsigned doublings = 0, depth = 0;

    (void)state;
    assert_non_null(ids);
    for (size_t i = 0; i < COUNT; i++)
        ids[i] = random_id(&random);
    for (size_t i = 0; i < COUNT; i++) {
        expect(!signature_set_holds(&set, ids[i]), "id %zu before it is there", i);
        expect(signature_set_add(&set, ids[i]) == 0, "id %zu", i);
        expect(signature_set_holds(&set, ids[i]), "id %zu", i);
        expect(signature_set_holds(&set, ids[i * 7 / 9]), "id %zu after %zu", i * 7 / 9, i);
        if (i % 10 == 9) {
            size_t out = i % 3 == 0 ? i : i * 5 / 8;

            signature_set_remove(&set, ids[out]);
            expect(!signature_set_holds(&set, ids[out]), "id %zu is out", out);
            expect(signature_set_count(&set) == i, "%zu of %zu", signature_set_count(&set), i);
            assert_int_equal(signature_set_add(&set, ids[out]), 0);
        }
        if (set.depth != depth) {
            check_whole(&set);
            depth = set.depth;
            doublings++;
        }
    }
    expect(doublings >= 8, "%u doublings", doublings);
    check_whole(&set);
    assert_int_equal(signature_set_count(&set), COUNT);
    for (size_t i = 0; i < COUNT; i++)
        expect(signature_set_holds(&set, ids[i]), "id %zu", i);
    for (size_t i = 0; i < COUNT; i++) {
        signature_set_remove(&set, ids[i]);
        expect(!signature_set_holds(&set, ids[i]), "id %zu is out", i);
        expect(i + 1 == COUNT || signature_set_holds(&set, ids[i + (COUNT - i) / 2]),
               "id %zu after %zu is out", i + (COUNT - i) / 2, i);
    }
    assert_int_equal(signature_set_count(&set), 0);
    check_whole(&set);
    signature_set_clear(&set);
    free(ids);
}

static void an_id_is_the_first_sixteen_bytes_and_never_zero(void **state)
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
    assert_int_equal(signature_set_count(&set), 0);
    assert_int_equal(signature_set_memory(&set), 0);
    signature_set_clear(&set);
    for (int round = 0; round < 3; round++) {
        const struct signature_set empty = {0};

        assert_int_equal(signature_set_add(&set, id), 0);
        signature_set_prefetch(&set, id);
        assert_int_equal(signature_set_count(&set), 1);
        assert_true(signature_set_memory(&set) > 0);
        signature_set_clear(&set);
        assert_memory_equal(&set, &empty, sizeof(set));
        assert_int_equal(signature_set_count(&set), 0);
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

/* Of a row's blocks, as many pages as the kernel has really put there. */
static size_t bytes_resident(const struct block_row *row)
{
    static unsigned char pages[1 << 16];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), resident = 0;

    for (size_t block = 0; block < row->block_count; block++) {
        size_t count = ((size_t)FIRST_BLOCK_SIZE << block) / page;

        assert_true(count <= sizeof(pages));
        assert_int_equal(mincore(row->blocks[block], count * page, pages), 0);
        for (size_t i = 0; i < count; i++)
            resident += (pages[i] & 1) * page;
    }
    return resident;
}
#endif

static void a_spent_token_costs_at_most_48_bytes(void **state)
{
    enum { MOST = 333000 };
    struct signature_set set = {0};
    uint64_t random = 10;
    double worst = 0;
    size_t worst_at = 0;
#if !SANITIZED
    size_t before = heap_in_use();
    double worst_resident = 0;
    size_t worst_resident_at = 0;
#endif

    (void)state;
    for (size_t count = 1; count <= MOST; count++) {
        bool printed = count == 1000 || count == 10000 || count == 100000 || count == MOST;
        double each;

        assert_int_equal(signature_set_add(&set, random_id(&random)), 0);
        each = (double)signature_set_memory(&set) / (double)count;
        if (count >= 1000 && each > worst) {
            worst = each;
            worst_at = count;
        }
        if (printed)
            print_message("%zu tokens: %.1f bytes each\n", count, each);
#if !SANITIZED
        /* Often enough to see a block that has just been begun. */
        if (count >= 1000 && (printed || count % (count / 200) == 0)) {
            size_t directory = heap_in_use() - before;

            expect(directory >= leads(&set) * sizeof(void *), "%zu bytes", directory);
            each = (double)(directory + bytes_resident(&set.ids) + bytes_resident(&set.leaves)) /
                   (double)count;
            if (each > worst_resident) {
                worst_resident = each;
                worst_resident_at = count;
            }
            if (printed)
                print_message("  %.1f resident, %.1f of them by the allocator\n", each,
                              (double)directory / (double)count);
        }
#endif
    }
    print_message("worst: %.1f bytes each at %zu tokens\n", worst, worst_at);
    expect(worst <= 48, "%.1f bytes each at %zu tokens", worst, worst_at);
#if !SANITIZED
    print_message("worst: %.1f bytes resident each at %zu tokens\n", worst_resident,
                  worst_resident_at);
    expect(worst_resident <= 48, "%.1f bytes resident each at %zu tokens", worst_resident,
           worst_resident_at);
#endif
    signature_set_clear(&set);
}

/* So that no answer waits for the whole set to be moved: an id stays where it is, and of the leaves
 * the one that it belongs to may change, and one more may come. */
static void no_addition_moves_more_than_a_leaf_and_the_directory(void **state)
{
    struct signature_set set = {0};
    uint64_t random = 11, chance = 12;
    const struct signature_id *first = NULL;
    size_t doublings = 0;

    (void)state;
    for (size_t count = 0; count < 200000; count++) {
        struct signature_id id = random_id(&random);
        size_t leaves = set.leaves.count;
        unsigned depth = set.depth;
        const struct signature_leaf *own = NULL, *watched = NULL;
        const struct signature_id *place = NULL;
        struct signature_leaf copy;
        size_t number = 0;

        if (count > 0) {
            own = set.directory[id.high & (leads(&set) - 1)];
            watched = leaf_at(&set, random_below(&chance, leaves));
            copy = *watched;
            number = random_below(&chance, count);
            place = signature_id_at(&set.ids, number);
        }
        assert_int_equal(signature_set_add(&set, id), 0);
        expect(set.leaves.count <= leaves + 1, "addition %zu adds %zu leaves", count,
               set.leaves.count - leaves);
        if (count == 0)
            first = signature_id_at(&set.ids, 0);
        else {
            expect(set.depth <= depth + 1, "addition %zu: %u deep after %u", count, set.depth,
                   depth);
            doublings += set.depth - depth;
            expect(watched == own || memcmp(watched, &copy, sizeof(copy)) == 0,
                   "addition %zu changes another's leaf", count);
            expect(signature_id_at(&set.ids, number) == place, "addition %zu moves id %zu", count,
                   number);
            expect(signature_id_at(&set.ids, 0) == first, "addition %zu moves the first", count);
        }
        /* A directory is copied whole: it is a small part of the set too. */
        expect(count < 1000 || leads(&set) * sizeof(void *) < signature_set_memory(&set) / 8,
               "addition %zu: a directory of %zu", count, leads(&set));
    }
    assert_true(doublings >= 6);
    signature_set_clear(&set);
}

#if !SANITIZED
static void short_memory_leaves_the_set_as_it_was(void **state)
{
    enum { COUNT = 40000 };
    static const struct {
        const char *name;
        bool callocs, mappings;
    } rows[] = {{"for the directory", true, false},
                {"for ids and leaves", false, true},
                {"for either", true, true}};
    static struct signature_id ids[COUNT];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct signature_set set = {0};
        uint64_t random = 12;
        size_t refused = 0, doublings, blocks;

        for (size_t at = 0; at < COUNT; at++) {
            int outcome;

            ids[at] = random_id(&random);
            callocs_fail = rows[i].callocs;
            mappings_fail = rows[i].mappings;
            outcome = signature_set_add(&set, ids[at]);
            callocs_fail = mappings_fail = false;
            if (outcome != 0) {
                refused++;
                expect(signature_set_count(&set) == at, "%s: id %zu is counted though refused",
                       rows[i].name, at);
                expect(!signature_set_holds(&set, ids[at]), "%s: id %zu", rows[i].name, at);
                for (size_t other = 0; other < at; other++)
                    expect(signature_set_holds(&set, ids[other]), "%s: id %zu after %zu",
                           rows[i].name, other, at);
                check_whole(&set);
                signature_set_remove(&set, ids[at]);
                assert_int_equal(signature_set_add(&set, ids[at]), 0);
            }
            expect(signature_set_holds(&set, ids[at]), "%s: id %zu", rows[i].name, at);
        }
        check_whole(&set);
        for (size_t at = 0; at < COUNT; at++)
            expect(signature_set_holds(&set, ids[at]), "%s: id %zu", rows[i].name, at);
        /* Once for each that was needed; the very first addition needs three. */
        doublings = rows[i].callocs ? set.depth - 2u : 0;
        blocks = rows[i].mappings ? set.ids.block_count + set.leaves.block_count - 2 : 0;
        expect(refused >= 1 + (doublings > blocks ? doublings : blocks) &&
                   refused <= 1 + doublings + blocks,
               "%s: %zu refused, of %zu and %zu", rows[i].name, refused, doublings, blocks);
        signature_set_clear(&set);
    }
}

/* The very first id, and one that takes fifteen doublings and as many leaves: each request for
 * memory fails in turn. */
static void each_request_of_one_addition_fails_in_turn(void **state)
{
    static const struct {
        const char *name;
        uint64_t before;
        int requests;
    } rows[] = {{"the first: a leaf, the directory, an id", 0, 3},
                {"the 401st of those that share 16 bits: 15 doublings, leaves", LEAF_FULL, 18}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        int requests = 0;

        for (int outcome = -1; outcome != 0; requests++) {
            struct signature_set set = {0};
            struct signature_id added = {.low = 1, .high = UINT64_C(1) << 16};

            for (uint64_t at = 0; at < rows[i].before; at++)
                assert_int_equal(
                    signature_set_add(&set, (struct signature_id){.low = at << 25, .high = 0}), 0);
            requests_until_short = requests;
            outcome = signature_set_add(&set, added);
            requests_until_short = -1;
            if (outcome != 0) {
                expect(signature_set_count(&set) == rows[i].before, "%s: after %d", rows[i].name,
                       requests);
                expect(!signature_set_holds(&set, added), "%s: after %d", rows[i].name, requests);
                check_whole(&set);
                /* Not even a leaf without a directory. */
                expect(rows[i].before > 0 || requests == 2 || signature_set_memory(&set) == 0,
                       "%s: after %d: %zu bytes", rows[i].name, requests,
                       signature_set_memory(&set));
                assert_int_equal(signature_set_add(&set, added), 0);
            }
            for (uint64_t at = 0; at < rows[i].before; at++)
                expect(signature_set_holds(&set, (struct signature_id){.low = at << 25, .high = 0}),
                       "%s: id %llu after %d", rows[i].name, (unsigned long long)at, requests);
            expect(signature_set_holds(&set, added), "%s: after %d", rows[i].name, requests);
            check_whole(&set);
            signature_set_clear(&set);
        }
        /* The last of them was granted everything. */
        expect(requests - 1 == rows[i].requests, "%s: %d", rows[i].name, requests - 1);
    }
}

/* Nobody who hasn't the key makes such ids, and chance does not. The directory doubles till it may
 * not, and no further. */
static void more_ids_than_a_leaf_takes_that_share_all_bits_are_refused(void **state)
{
    struct signature_set set = {0};
    struct signature_id id = {.high = UINT64_MAX >> 1}, other = {.low = 7};

    (void)state;
    assert_int_equal(signature_set_add(&set, other), 0);
    largest_calloc = sizeof(void *) << 23;
    for (id.low = 0; id.low < (uint64_t)LEAF_FULL << 25; id.low += 1 << 25)
        assert_int_equal(signature_set_add(&set, id), 0);
    for (int round = 0; round < 3; round++)
        assert_int_equal(signature_set_add(&set, id), -1);
    largest_calloc = SIZE_MAX;
    assert_int_equal(set.depth, 22);
    assert_int_equal(signature_set_count(&set), LEAF_FULL + 1);
    assert_false(signature_set_holds(&set, id));
    while (id.low > 0) {
        id.low -= 1 << 25;
        expect(signature_set_holds(&set, id), "id %llu", (unsigned long long)id.low);
    }
    check_whole(&set);
    /* Others are welcome, and one of them where another goes. */
    assert_true(signature_set_holds(&set, other));
    other.low++;
    assert_int_equal(signature_set_add(&set, other), 0);
    signature_set_remove(&set, id);
    id.low = 11;
    assert_int_equal(signature_set_add(&set, id), 0);
    assert_true(signature_set_holds(&set, id));
    signature_set_clear(&set);
}

/* Ids of which 64 at a time belong to one leaf, one after the other, so that this takes no time. */
static struct signature_id next_door_id(uint64_t number)
{
    return (struct signature_id){.low = number << 26 ^ number * UINT64_C(0x9e3779b97f4a7c15) << 32,
                                 .high = number << 56 | number >> 6};
}

static void a_full_set_takes_no_more_and_loses_none(void **state)
{
    struct signature_set set = {0};
    uint64_t number;

    (void)state;
    for (number = 0; number < SIGNATURE_SET_MAX; number++)
        expect(signature_set_add(&set, next_door_id(number)) == 0, "id %llu",
               (unsigned long long)number);
    for (int round = 0; round < 3; round++) {
        assert_int_equal(signature_set_count(&set), SIGNATURE_SET_MAX);
        assert_int_equal(signature_set_add(&set, next_door_id(number)), -1);
        assert_false(signature_set_holds(&set, next_door_id(number)));
        /* The place of the last, which has the highest number of all, and of one in between. */
        signature_set_remove(&set, next_door_id(number - 1 - (uint64_t)round * 1000000));
        assert_int_equal(signature_set_add(&set, next_door_id(number)), 0);
        assert_true(signature_set_holds(&set, next_door_id(number)));
        signature_set_remove(&set, next_door_id(number));
        assert_int_equal(
            signature_set_add(&set, next_door_id(number - 1 - (uint64_t)round * 1000000)), 0);
    }
    while (number-- > 0)
        expect(signature_set_holds(&set, next_door_id(number)), "id %llu",
               (unsigned long long)number);
    signature_set_clear(&set);
}

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

static void a_cleared_set_gives_its_memory_back(void **state)
{
    static const size_t sizes[] = {1, 400, 401, 6401, 10000, 440000};
    size_t before = mebibytes_resident();
    size_t heap = heap_in_use();

    (void)state;
    for (size_t i = 0; i < 5 * LENGTH_OF(sizes); i++) {
        size_t size = sizes[i % LENGTH_OF(sizes)];
        struct signature_set set = {0};
        uint64_t random = 17;

        for (size_t count = 1; count <= size; count++) {
            assert_int_equal(signature_set_add(&set, random_id(&random)), 0);
            if (count % 1000 == 0)
                expect(mebibytes_resident() <= before + 4 + (48 * count >> 20),
                       "%zu tokens: %zu MiB", count, mebibytes_resident());
        }
        signature_set_clear(&set);
        expect(heap_in_use() == heap, "%zu ids: %zu bytes stay", size, heap_in_use() - heap);
        expect(mebibytes_resident() <= before + 4, "%zu ids: %zu MiB stay of %zu", size,
               mebibytes_resident(), before);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_ids_are_held_and_no_other),
        cmocka_unit_test(ids_that_collide_are_kept_apart),
        cmocka_unit_test(a_leaf_is_parted_when_it_is_full_and_not_before),
        cmocka_unit_test(ids_that_share_many_bits_are_told_apart_at_last),
        cmocka_unit_test(ids_are_taken_out_and_no_other_is_lost),
        cmocka_unit_test(what_is_added_and_removed_for_ever_takes_no_more_memory),
        cmocka_unit_test(a_large_set_holds_its_ids_over_many_doublings),
        cmocka_unit_test(an_id_is_the_first_sixteen_bytes_and_never_zero),
        cmocka_unit_test(an_empty_and_a_cleared_set_hold_nothing),
        cmocka_unit_test(a_spent_token_costs_at_most_48_bytes),
        cmocka_unit_test(no_addition_moves_more_than_a_leaf_and_the_directory),
#if !SANITIZED
        cmocka_unit_test(short_memory_leaves_the_set_as_it_was),
        cmocka_unit_test(each_request_of_one_addition_fails_in_turn),
        cmocka_unit_test(more_ids_than_a_leaf_takes_that_share_all_bits_are_refused),
        cmocka_unit_test(a_full_set_takes_no_more_and_loses_none),
        cmocka_unit_test(a_cleared_set_gives_its_memory_back),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
