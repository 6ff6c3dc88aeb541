/* A row of items that never move: how its blocks grow, and what is left when memory is short. */
#include "vectors.h"

#include <errno.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/syscall.h>

#include "store/block_row.h"

#if !SANITIZED
/* Mappings fail, or are nowhere at all: nobody may look at such a block. So many bytes of them are
 * there. */
static bool mapping_fails, mapping_is_feigned;
static size_t feigned;

// NOLINTBEGIN(performance-no-int-to-ptr): addresses are numbers here
void *mmap(void *address, size_t size, int protection, int flags, int file, off_t at)
{
    static uintptr_t next = UINT64_C(1) << 50;

    if (mapping_fails) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    if (mapping_is_feigned) {
        feigned += size;
        return (void *)((next += size) - size);
    }
    return (void *)syscall(SYS_mmap, address, size, protection, flags, file, at);
}
// NOLINTEND(performance-no-int-to-ptr)

int munmap(void *address, size_t size)
{
    if (!mapping_is_feigned)
        return (int)syscall(SYS_munmap, address, size);
    feigned -= size;
    return 0;
}

int madvise(void *address, size_t size, int advice)
{
    return mapping_is_feigned ? 0 : (int)syscall(SYS_madvise, address, size, advice);
}
#endif

static bool is_mapped(char *address)
{
    uintptr_t size = (uintptr_t)sysconf(_SC_PAGESIZE);

    return msync(address - (uintptr_t)address % size, size, MS_ASYNC) == 0 || errno != ENOMEM;
}

/* So many that blocks of ordinary and of huge pages are among them. */
static void items_stay_where_they_are_with_what_was_written(void **state)
{
    static const size_t sizes[] = {8, 16, 512, 4096};
    static const char zeros[4096];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        size_t size = sizes[i], count = (9 << 20) / size;
        struct block_row row = {0};
        char **items = malloc(count * sizeof(*items));
        char pattern[4096];

        assert_non_null((void *)items);
        for (size_t at = 0; at < count; at++) {
            items[at] = block_row_add(&row, size);
            assert_non_null(items[at]);
            expect(row.count == at + 1, "%zu items of %zu", at, size);
            expect((uintptr_t)items[at] % size == 0, "item %zu of %zu lies across", at, size);
            expect(memcmp(items[at], zeros, size) == 0, "item %zu of %zu is not zeroed", at, size);
            memset(items[at], (int)(at % 255 + 1), size);
            memcpy(items[at], &at, sizeof(at));
        }
        for (size_t at = 0; at < count; at++) {
            memset(pattern, (int)(at % 255 + 1), size);
            memcpy(pattern, &at, sizeof(at));
            expect(block_row_at(&row, size, at) == items[at], "item %zu of %zu moved", at, size);
            expect(memcmp(items[at], pattern, size) == 0, "item %zu of %zu", at, size);
        }
        block_row_clear(&row);
        free((void *)items);
    }
}

static void each_block_is_twice_as_large_as_the_one_before(void **state)
{
    static const struct {
        size_t item_size, items, blocks;
    } rows[] = {
        {16, 1, 1},    {16, 256, 1},  {16, 257, 2},  {16, 768, 2}, {16, 769, 3},    {16, 1792, 3},
        {16, 1793, 4}, {512, 8, 1},   {512, 9, 2},   {512, 24, 2}, {512, 25, 3},    {4096, 1, 1},
        {4096, 2, 2},  {4096, 3, 2},  {4096, 4, 3},  {4096, 7, 3}, {4096, 8, 4},    {1, 4096, 1},
        {1, 4097, 2},  {1, 12288, 2}, {1, 12289, 3}, {8, 512, 1},  {8, 523776, 10}, {8, 523777, 11},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct block_row row = {0};

        for (size_t count = 0; count < rows[i].items; count++)
            assert_non_null(block_row_add(&row, rows[i].item_size));
        expect(row.block_count == rows[i].blocks, "%zu items of %zu in %zu blocks", rows[i].items,
               rows[i].item_size, row.block_count);
        block_row_clear(&row);
    }
}

/* What is dropped and added for ever takes no more memory, at a block's end either. */
static void the_next_item_takes_the_place_of_the_dropped_one(void **state)
{
    static const size_t counts[] = {1, 2, 7, 8, 9, 24, 25};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(counts); i++) {
        struct block_row row = {0};
        char *last = NULL;
        size_t blocks;

        for (size_t count = 0; count < counts[i]; count++) {
            last = block_row_add(&row, 512);
            assert_non_null(last);
        }
        *last = 7;
        blocks = row.block_count;
        for (int round = 0; round < 1000; round++) {
            block_row_drop(&row);
            assert_int_equal(row.count, counts[i] - 1);
            expect(block_row_add(&row, 512) == last, "the last of %zu", counts[i]);
            assert_int_equal(row.count, counts[i]);
            assert_int_equal(row.block_count, blocks);
        }
        assert_int_equal(*last, 7);
        block_row_clear(&row);
    }
}

static void a_cleared_row_gives_all_its_blocks_back(void **state)
{
    enum { ITEMS = 20000 }; /* 10 MiB */
    struct block_row row = {0};
    const struct block_row empty = {0};
    char *items[ITEMS];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ITEMS; i++) {
            items[i] = block_row_add(&row, 512);
            assert_non_null(items[i]);
            *items[i] = 1;
        }
        block_row_clear(&row);
        assert_memory_equal(&row, &empty, sizeof(row));
        for (size_t i = 0; i < ITEMS; i++)
            expect(!is_mapped(items[i]), "round %d: item %zu stays", round, i);
        block_row_clear(&row);
    }
}

#if !SANITIZED
static void short_memory_leaves_the_row_as_it_was(void **state)
{
    struct block_row row = {0};
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < 20000; i++) {
        struct block_row before = row;
        char *item;

        mapping_fails = true;
        item = block_row_add(&row, 512);
        mapping_fails = false;
        if (item == NULL) {
            refused++;
            assert_memory_equal(&row, &before, sizeof(row));
            item = block_row_add(&row, 512);
        }
        assert_non_null(item);
        memcpy(item, &i, sizeof(i));
    }
    /* Once for each block. */
    assert_int_equal(refused, row.block_count);
    for (size_t i = 0; i < 20000; i++)
        assert_memory_equal(block_row_at(&row, 512, i), &i, sizeof(i));
    block_row_clear(&row);
}

static void a_row_of_all_its_blocks_is_full_and_gives_them_back(void **state)
{
    const size_t first = FIRST_BLOCK_SIZE / 512, most = (((size_t)1 << BLOCKS_MAX) - 1) * first;
    struct {
        struct block_row row;
        const char *behind; /* where one block more would be */
    } place = {.behind = "none of the row's"};
    struct block_row *row = &place.row, full;

    (void)state;
    mapping_is_feigned = true;
    for (size_t block = 0; block < BLOCKS_MAX; block++) {
        row->count = (((size_t)1 << block) - 1) * first;
        assert_non_null(block_row_add(row, 512));
        assert_int_equal(row->block_count, block + 1);
    }
    row->count = most - 1;
    assert_non_null(block_row_add(row, 512));
    assert_int_equal(row->count, most);
    assert_int_equal(feigned, most * 512);
    full = *row;
    assert_null(block_row_add(row, 512));
    assert_memory_equal(row, &full, sizeof(full));
    block_row_clear(row);
    mapping_is_feigned = false;
    assert_int_equal(feigned, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_stay_where_they_are_with_what_was_written),
        cmocka_unit_test(each_block_is_twice_as_large_as_the_one_before),
        cmocka_unit_test(the_next_item_takes_the_place_of_the_dropped_one),
        cmocka_unit_test(a_cleared_row_gives_all_its_blocks_back),
#if !SANITIZED
        cmocka_unit_test(short_memory_leaves_the_row_as_it_was),
        cmocka_unit_test(a_row_of_all_its_blocks_is_full_and_gives_them_back),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
