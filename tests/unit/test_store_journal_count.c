/* The count of records: it comes back as it was written, or not at all. */
#include "state_fixture.h"

#include "store/journal_count.h"

static const uint64_t journal = UINT64_C(0xfedcba9876543210);

static struct journal_count new_count(void **state)
{
    struct journal_count count;

    journal_count_init(&count, ((const struct state_fixture *)*state)->directory, journal);
    return count;
}

static void the_last_number_written_comes_back(void **state)
{
    static const uint64_t numbers[] = {1, 2, 1, UINT64_MAX, 0};
    struct journal_count writer = new_count(state);
    uint64_t number = 7;

    assert_false(journal_count_read(&writer, &number));
    assert_int_equal(number, 7);
    assert_int_equal(journal_count_sync(&writer), -1);
    for (size_t i = 0; i < LENGTH_OF(numbers); i++) {
        struct journal_count reader = new_count(state);

        assert_int_equal(journal_count_write(&writer, numbers[i]), 0);
        expect(journal_count_read(&reader, &number) && number == numbers[i], "row %zu", i);
    }
    assert_int_equal(journal_count_sync(&writer), 0);
    journal_count_close(&writer);
    journal_count_close(&writer);
    assert_int_equal(journal_count_sync(&writer), -1);
}

static void another_journals_count_is_none(void **state)
{
    struct journal_count count = new_count(state);
    uint64_t number = 7;

    assert_int_equal(journal_count_write(&count, 12), 0);
    count.journal++;
    assert_false(journal_count_read(&count, &number));
    assert_int_equal(number, 7);
    journal_count_close(&count);
}

/* The file as any version writes it, for its owner alone. */
static void the_file_is_16_bytes_that_nobody_else_reads(void **state)
{
    const struct state_fixture *fixture = *state;
    struct journal_count count = new_count(state);
    uint8_t expected[16], bytes[FILE_MAX];
    struct stat status;
    mode_t mask = umask(0);

    assert_int_equal(journal_count_write(&count, 12), 0);
    umask(mask);
    from_hex("0c0000000000000094dce32d4f9f7cd3", expected);
    assert_int_equal(read_file(fixture->directory, "count", bytes), sizeof(expected));
    assert_memory_equal(bytes, expected, sizeof(expected));
    assert_int_equal(fstatat(fixture->directory, "count", &status, 0), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    journal_count_close(&count);
}

/* A daemon that was started without a standard input. */
static void descriptor_0_is_a_file_like_any_other(void **state)
{
    struct journal_count count = new_count(state);
    int saved = dup(STDIN_FILENO);
    uint64_t number = 0;

    close(STDIN_FILENO);
    assert_int_equal(journal_count_write(&count, 12), 0);
    assert_int_equal(count.file, 0);
    assert_int_equal(journal_count_write(&count, 13), 0);
    assert_int_equal(count.file, 0);
    assert_true(journal_count_read(&count, &number));
    assert_int_equal(number, 13);
    assert_int_equal(journal_count_sync(&count), 0);
    journal_count_close(&count);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
    if (saved >= 0) {
        assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
        close(saved);
    }
}

static void a_closed_count_is_opened_again(void **state)
{
    struct journal_count count = new_count(state);
    uint64_t number = 0;

    assert_int_equal(journal_count_write(&count, 12), 0);
    journal_count_close(&count);
    assert_int_equal(journal_count_write(&count, 13), 0);
    assert_true(journal_count_read(&count, &number));
    assert_int_equal(number, 13);
    journal_count_close(&count);
}

static void a_count_that_can_not_be_written_is_an_error(void **state)
{
    struct journal_count count = new_count(state);

    limit_files(15);
    assert_int_equal(journal_count_write(&count, 12), -1);
    assert_int_equal(errno, EFBIG);
    unlimit_files();
    assert_int_equal(journal_count_write(&count, 12), 0);
    journal_count_close(&count);
    count.directory = -1;
    assert_int_equal(journal_count_write(&count, 12), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(the_last_number_written_comes_back),
        state_test(another_journals_count_is_none),
        state_test(the_file_is_16_bytes_that_nobody_else_reads),
        state_test(descriptor_0_is_a_file_like_any_other),
        state_test(a_closed_count_is_opened_again),
        state_test(a_count_that_can_not_be_written_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
