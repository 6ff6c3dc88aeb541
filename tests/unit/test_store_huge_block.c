/* Large blocks of memory: what is mapped for them, of which pages, and that nothing stays. */
#include "vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <sys/mman.h>

#include "store/huge_block.h"

enum { HUGE = 2 << 20 };

static const size_t sizes[] = {1,
                               4096,
                               4097,
                               HUGE,
                               HUGE + 1,
                               HUGE_BLOCK_MIN - 1,
                               HUGE_BLOCK_MIN,
                               HUGE_BLOCK_MIN + 1,
                               5 << 20,
                               (7 << 20) - 4096};

static size_t whole_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (size + page - 1) / page * page;
}

static bool is_mapped(void *page)
{
    return msync(page, (size_t)sysconf(_SC_PAGESIZE), MS_ASYNC) == 0 || errno != ENOMEM;
}

static void a_block_is_zeroed_and_as_large_as_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        size_t whole = whole_pages(sizes[i]);
        size_t begin = sizes[i] < HUGE_BLOCK_MIN ? (size_t)sysconf(_SC_PAGESIZE) : HUGE;
        char *block = huge_block_create(sizes[i]);
        void *gone = block;

        assert_non_null(block);
        expect((uintptr_t)block % begin == 0, "%zu bytes at %p", sizes[i], gone);
        for (size_t at = 0; at < sizes[i]; at++)
            expect(block[at] == 0, "byte %zu of %zu", at, sizes[i]);
        memset(block, 0xff, sizes[i]);
        huge_block_destroy(&gone, sizes[i]);
        assert_null(gone);
        for (size_t at = 0; at < whole; at += (size_t)sysconf(_SC_PAGESIZE))
            expect(!is_mapped(block + at), "byte %zu of %zu stays", at, sizes[i]);
    }
}

/* A file of /proc, read without any memory but this. */
static char *read_proc(const char *path)
{
    static char text[1 << 20];
    size_t length = 0;
    ssize_t got;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(file >= 0);
    while ((got = read(file, text + length, sizeof(text) - 1 - length)) > 0)
        length += (size_t)got;
    assert_int_equal(close(file), 0);
    assert_true(got == 0 && length > 0);
    text[length] = '\0';
    return text;
}

static size_t bytes_mapped(void)
{
    return strtoul(read_proc("/proc/self/statm"), NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

/* What is mapped to find a place for it is given back at once, before and behind. */
static void no_more_is_mapped_than_the_block(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        size_t before = bytes_mapped(), more;
        void *block = huge_block_create(sizes[i]);

        assert_non_null(block);
        more = bytes_mapped() - before;
        huge_block_destroy(&block, sizes[i]);
        expect(more == whole_pages(sizes[i]), "%zu bytes for %zu", more, sizes[i]);
        expect(bytes_mapped() == before, "%zu bytes: some stay", sizes[i]);
    }
}

/* Whether the kernel was asked for huge pages where this address is. */
static bool is_to_be_huge(const char *address)
{
    char *save = NULL;
    bool inside = false;

    for (char *line = strtok_r(read_proc("/proc/self/smaps"), "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        char *end = line;
        uintptr_t from = strtoul(line, &end, 16);

        if (*end == '-')
            inside = (uintptr_t)address >= from && (uintptr_t)address < strtoul(end + 1, NULL, 16);
        else if (inside && strncmp(line, "VmFlags:", 8) == 0)
            return strstr(line, " hg") != NULL;
    }
    fail_msg("%p is nowhere", (const void *)address);
    return false;
}

/* A small block of huge pages, or a rest, would be resident whole once it is touched. */
static void whole_huge_pages_of_large_blocks_alone_are_asked_for(void **state)
{
    (void)state;
    if (access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK) != 0)
        skip();
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        void *block = huge_block_create(sizes[i]);
        const char *bytes = block;
        size_t huge = sizes[i] < HUGE_BLOCK_MIN ? 0 : whole_pages(sizes[i]) / HUGE * HUGE;

        assert_non_null(block);
        for (size_t at = 0; at < sizes[i]; at += (size_t)sysconf(_SC_PAGESIZE) * 64)
            expect(is_to_be_huge(bytes + at) == (at < huge), "byte %zu of %zu", at, sizes[i]);
        expect(is_to_be_huge(bytes + sizes[i] - 1) == (sizes[i] - 1 < huge), "the last of %zu",
               sizes[i]);
        huge_block_destroy(&block, sizes[i]);
    }
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
        cmocka_unit_test(no_more_is_mapped_than_the_block),
        cmocka_unit_test(whole_huge_pages_of_large_blocks_alone_are_asked_for),
        cmocka_unit_test(nothing_is_destroyed_without_complaint),
        cmocka_unit_test(a_block_beyond_the_address_space_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
