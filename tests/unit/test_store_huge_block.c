/* Large blocks of memory: whole and in parts, and what is given back. */
#include "vectors.h"

#include <errno.h>
#include <unistd.h>

#include <sys/mman.h>

#include "store/huge_block.h"

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static bool is_mapped(void *page)
{
    return msync(page, page_size(), MS_ASYNC) == 0 || errno != ENOMEM;
}

static void a_block_is_zeroed_and_as_large_as_asked_for(void **state)
{
    static const size_t sizes[] = {1, 4096, 4097, (2 << 20) - 1, 2 << 20, (2 << 20) + 1, 5 << 20};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        size_t whole = (sizes[i] + page_size() - 1) / page_size() * page_size();
        char *block = huge_block_create(sizes[i]);
        void *gone = block;

        assert_non_null(block);
        expect((uintptr_t)block % (2 << 20) == 0, "%zu bytes at %p", sizes[i], gone);
        for (size_t at = 0; at < sizes[i]; at++)
            expect(block[at] == 0, "byte %zu of %zu", at, sizes[i]);
        memset(block, 0xff, sizes[i]);
        huge_block_destroy(&gone, sizes[i]);
        assert_null(gone);
        for (size_t at = 0; at < whole; at += page_size())
            expect(!is_mapped(block + at), "byte %zu of %zu stays", at, sizes[i]);
    }
}

static void only_whole_pages_of_a_part_are_given_back(void **state)
{
    enum { SIZE = 4 << 20 };
    void *block = huge_block_create(SIZE);
    char *bytes = block;
    size_t page = page_size();

    (void)state;
    assert_non_null(block);
    memset(bytes, 1, SIZE);
    huge_block_give_back(bytes + page + 1, 3 * page);
    for (size_t at = 0; at < SIZE; at++) {
        bool given_back = at >= 2 * page && at < 4 * page;

        expect(bytes[at] == (given_back ? 0 : 1), "byte %zu", at);
    }
    /* A part with no whole page in it. */
    huge_block_give_back(bytes + 8 * page + 1, page);
    huge_block_give_back(bytes + 8 * page + 1, 1);
    huge_block_give_back(bytes + 8 * page, 0);
    for (size_t at = 8 * page; at < 10 * page; at++)
        expect(bytes[at] == 1, "byte %zu", at);
    huge_block_destroy(&block, SIZE);
}

static void nothing_is_destroyed_without_complaint(void **state)
{
    void *none = NULL;

    (void)state;
    huge_block_destroy(&none, 4096);
    assert_null(none);
}

static void a_block_beyond_the_address_space_is_refused(void **state)
{
    (void)state;
    assert_null(huge_block_create((size_t)1 << 47));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_is_zeroed_and_as_large_as_asked_for),
        cmocka_unit_test(only_whole_pages_of_a_part_are_given_back),
        cmocka_unit_test(nothing_is_destroyed_without_complaint),
        cmocka_unit_test(a_block_beyond_the_address_space_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
