/* What a journal knows of itself: the old head or the new one, and never anything in between. */
#include "state_fixture.h"

#include "store/journal_head.h"

static struct journal_head head_with(size_t stretches)
{
    struct journal_head head = {
        .journal = UINT64_C(0xfedcba9876543210),
        .has_boot_id = true,
        .boot_id = "01234567-89ab-4cde-8f01-23456789abc",
        .is_clean = true,
        .first_number = 42,
        .floor = {.active = true, .start_wall_ms = -5, .start_boot_ms = 6},
    };

    head.closed.count = stretches;
    for (size_t i = 0; i < stretches; i++)
        head.closed.stretches[i] =
            (struct stretch){noon + 60 * (int64_t)i, noon + 60 * (int64_t)i + 30};
    return head;
}

static bool same_closed(const struct closed_time *one, const struct closed_time *other)
{
    return one->count == other->count &&
           memcmp(one->stretches, other->stretches, one->count * sizeof(struct stretch)) == 0;
}

static bool same(const struct journal_head *one, const struct journal_head *other)
{
    return one->journal == other->journal && one->has_boot_id == other->has_boot_id &&
           memcmp(one->boot_id, other->boot_id, BOOT_ID_SIZE) == 0 &&
           one->is_clean == other->is_clean && one->first_number == other->first_number &&
           one->floor.active == other->floor.active &&
           one->floor.start_wall_ms == other->floor.start_wall_ms &&
           one->floor.start_boot_ms == other->floor.start_boot_ms &&
           same_closed(&one->closed, &other->closed);
}

static int directory_of(void **state)
{
    return ((const struct state_fixture *)*state)->directory;
}

static void a_head_comes_back_as_it_was(void **state)
{
    static const size_t counts[] = {0, 1, 2, 511, CLOSED_STRETCHES_MAX};

    for (size_t i = 0; i < 2 * LENGTH_OF(counts); i++) {
        struct journal_head head = head_with(counts[i / 2]);
        struct journal_head read;

        head.is_clean = head.has_boot_id = head.floor.active = i % 2 == 0;
        expect(journal_head_write(directory_of(state), &head, i % 2 == 0) == 0, "row %zu", i);
        expect(journal_head_read(directory_of(state), &read) == 0, "row %zu", i);
        expect(same(&head, &read), "row %zu", i);
    }
    assert_false(file_exists(directory_of(state), "head.new"));
}

static void no_head_is_told_from_a_damaged_one(void **state)
{
    struct journal_head head = head_with(3);
    struct journal_head untouched = head;

    assert_int_equal(journal_head_read(directory_of(state), &untouched), 1);
    write_file(directory_of(state), "head", "", 0);
    assert_int_equal(journal_head_read(directory_of(state), &untouched), -1);
    remove_file(directory_of(state), "head");
    assert_int_equal(mkdirat(directory_of(state), "head", 0700), 0);
    assert_int_equal(journal_head_read(directory_of(state), &untouched), -1);
    remove_file(directory_of(state), "head");
    assert_int_equal(symlinkat("/etc/passwd", directory_of(state), "head"), 0);
    assert_int_equal(journal_head_read(directory_of(state), &untouched), -1);
    assert_true(same(&head, &untouched));
}

static void every_flipped_bit_and_every_other_length_is_seen(void **state)
{
    struct journal_head head = head_with(2);
    struct journal_head read;
    uint8_t content[FILE_MAX];
    ssize_t size;

    assert_int_equal(journal_head_write(directory_of(state), &head, false), 0);
    size = read_file(directory_of(state), "head", content);
    assert_in_range(size, 100, 1000);
    if (size < 0)
        return;
    for (ssize_t bit = 0; bit < 8 * size; bit++) {
        content[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_file(directory_of(state), "head", content, (size_t)size);
        expect(journal_head_read(directory_of(state), &read) == -1, "bit %zd", bit);
        content[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    memset(content + size, 0, 9000);
    for (ssize_t length = 0; length < size + 40; length++) {
        write_file(directory_of(state), "head", content, (size_t)length);
        expect(journal_head_read(directory_of(state), &read) == (length == size ? 0 : -1),
               "length %zd", length);
    }
    write_file(directory_of(state), "head", content, (size_t)size + 9000);
    assert_int_equal(journal_head_read(directory_of(state), &read), -1);
}

static void where_it_can_not_be_written_the_old_one_stays(void **state)
{
    static const rlim_t limits[] = {0, 1, 50, 100};
    struct journal_head old = head_with(1);
    struct journal_head head = head_with(20);
    struct journal_head read;

    assert_int_equal(journal_head_write(directory_of(state), &old, true), 0);
    for (size_t i = 0; i < LENGTH_OF(limits); i++) {
        limit_files(limits[i]);
        expect(journal_head_write(directory_of(state), &head, true) == -1, "limit %d",
               (int)limits[i]);
        unlimit_files();
        expect(journal_head_read(directory_of(state), &read) == 0 && same(&read, &old), "limit %d",
               (int)limits[i]);
    }
    assert_int_equal(journal_head_write(-1, &head, true), -1);
    assert_int_equal(errno, EBADF);
    /* And what the failures left behind is in nobody's way. */
    assert_int_equal(journal_head_write(directory_of(state), &head, true), 0);
    assert_int_equal(journal_head_read(directory_of(state), &read), 0);
    assert_true(same(&read, &head));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(a_head_comes_back_as_it_was),
        state_test(no_head_is_told_from_a_damaged_one),
        state_test(every_flipped_bit_and_every_other_length_is_seen),
        state_test(where_it_can_not_be_written_the_old_one_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
