/* Memory that is released all at once. */
#include "vectors.h"

#include <stdalign.h>

#include "base/arena.h"

static bool all_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static void memory_of_every_size_is_zeroed_aligned_and_its_own(void **state)
{
    enum { COUNT = 1500 };
    struct arena arena = {0};
    unsigned char *pieces[COUNT];

    (void)state;
    for (size_t size = 0; size < COUNT; size++) {
        pieces[size] = arena_alloc(&arena, size);
        expect(pieces[size] != NULL, "size %zu", size);
        expect((uintptr_t)pieces[size] % alignof(max_align_t) == 0, "size %zu", size);
        expect(all_zero(pieces[size], size), "size %zu", size);
        memset(pieces[size], (int)(size & 0xff) | 1, size);
    }
    for (size_t size = 0; size < COUNT; size++) {
        for (size_t i = 0; i < size; i++)
            expect(pieces[size][i] == ((size & 0xff) | 1), "size %zu overwritten at %zu", size, i);
    }
    arena_clear(&arena);
}

static void pieces_larger_than_a_block_are_given_too(void **state)
{
    static const size_t sizes[] = {16383, 16384, 16385, 100000, 1, 5000000, 1, 16384};
    struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        unsigned char *piece = arena_alloc(&arena, sizes[i]);

        expect(piece != NULL && all_zero(piece, sizes[i]), "size %zu", sizes[i]);
        memset(piece, 0xff, sizes[i]);
    }
    arena_clear(&arena);
}

static void a_copy_is_terminated_and_keeps_nul_bytes(void **state)
{
    struct arena arena = {0};
    char *source = exact_copy("ab\0cd", 5);
    char *copy = arena_copy(&arena, source, 5);
    char *empty = arena_copy(&arena, "", 0);

    (void)state;
    free(source);
    assert_memory_equal(copy, "ab\0cd", 6);
    assert_string_equal(empty, "");
    arena_clear(&arena);
}

static void a_cleared_arena_is_empty_and_can_be_filled_again(void **state)
{
    struct arena arena = {0};

    (void)state;
    arena_clear(&arena);
    for (int round = 0; round < 3; round++) {
        assert_non_null(arena_alloc(&arena, 40000));
        assert_non_null(arena_alloc(&arena, 40));
        arena_clear(&arena);
        assert_null(arena.blocks);
    }
}

static void more_memory_than_there_can_be_is_refused(void **state)
{
    static const size_t sizes[] = {SIZE_MAX,      SIZE_MAX - 1,  SIZE_MAX - 14, SIZE_MAX - 15,
                                   SIZE_MAX - 16, SIZE_MAX - 31, SIZE_MAX - 63};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        struct arena arena = {0};

        expect(arena_alloc(&arena, sizes[i]) == NULL, "SIZE_MAX - %zu", SIZE_MAX - sizes[i]);
        expect(arena_alloc(&arena, 8) != NULL, "SIZE_MAX - %zu leaves it unusable",
               SIZE_MAX - sizes[i]);
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_of_every_size_is_zeroed_aligned_and_its_own),
        cmocka_unit_test(pieces_larger_than_a_block_are_given_too),
        cmocka_unit_test(a_copy_is_terminated_and_keeps_nul_bytes),
        cmocka_unit_test(a_cleared_arena_is_empty_and_can_be_filled_again),
        cmocka_unit_test(more_memory_than_there_can_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
