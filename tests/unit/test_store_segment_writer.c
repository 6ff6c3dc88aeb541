/* The segment being written: what was appended is there, the rest is zeros, and no more than that. */
#include "state_fixture.h"

#include "store/journal_record.h"
#include "store/segment_writer.h"

enum { HEADER = JOURNAL_SEGMENT_HEADER_SIZE, LARGE = 8000 };

static const char name[] = "spent-00000000000000000001";

static int directory_of(void **state)
{
    return ((const struct state_fixture *)*state)->directory;
}

static struct segment_writer begin(void **state)
{
    struct segment_writer writer;

    segment_writer_init(&writer);
    assert_int_equal(segment_writer_begin(&writer, directory_of(state), 5, 1), 0);
    return writer;
}

static off_t size_of(void **state)
{
    struct stat status;

    assert_int_equal(fstatat(directory_of(state), name, &status, 0), 0);
    return status.st_size;
}

static uint8_t large[LARGE];

static void append_large(struct segment_writer *writer, int times)
{
    memset(large, 'x', sizeof(large));
    for (int i = 0; i < times; i++)
        assert_int_equal(segment_writer_append(writer, large, sizeof(large)), 0);
}

/* Whether the file has x up to the end of the records, then zeros alone. */
static void expect_content(void **state, const struct segment_writer *writer)
{
    int file = openat(directory_of(state), name, O_RDONLY);
    off_t at = HEADER;
    uint8_t byte;

    assert_true(file >= 0);
    while (pread(file, &byte, 1, at) == 1) {
        if (byte != (at < writer->size ? 'x' : 0))
            fail_msg("byte %d is %d", (int)at, byte);
        at += 1 + (at > HEADER && at % 97 != 0 ? 12 : 0);
    }
    close(file);
}

static void a_light_load_leaves_nothing_but_records(void **state)
{
    struct segment_writer writer = begin(state);

    for (int i = 0; i < 1000; i++) {
        assert_int_equal(segment_writer_append(&writer, large, 400), 0);
        assert_int_equal(size_of(state), HEADER + 400 * (i + 1));
    }
    segment_writer_end(&writer);
    assert_int_equal(size_of(state), HEADER + 400 * 1000);
}

static void a_heavy_load_has_room_ahead_and_never_more_than_half(void **state)
{
    struct segment_writer writer = begin(state);
    bool had_room = false;

    for (int i = 1; i <= 200; i++) {
        append_large(&writer, 1);
        assert_int_equal(writer.size, HEADER + LARGE * i);
        expect(size_of(state) >= writer.size && size_of(state) <= writer.size / 2 * 3,
               "%d: %d bytes for %d", i, (int)size_of(state), (int)writer.size);
        had_room |= size_of(state) > writer.size;
    }
    assert_true(had_room);
    expect_content(state, &writer);
    segment_writer_end(&writer);
    assert_int_equal(size_of(state), HEADER + LARGE * 200);
}

static void the_room_goes_when_the_load_does(void **state)
{
    struct segment_writer writer = begin(state);

    append_large(&writer, 50);
    while (size_of(state) == writer.size)
        append_large(&writer, 1);
    segment_writer_rest(&writer);
    assert_true(size_of(state) > writer.size);
    segment_writer_rest(&writer);
    assert_int_equal(size_of(state), writer.size);
    append_large(&writer, 3);
    expect_content(state, &writer);
    segment_writer_end(&writer);
}

/* The limit stands for a full disk: the room fails first, and must not take what the records need. */
static void a_disk_without_room_ahead_still_takes_records(void **state)
{
    struct segment_writer writer = begin(state);

    append_large(&writer, 40);
    segment_writer_rest(&writer);
    segment_writer_rest(&writer);
    limit_files((rlim_t)writer.size + LARGE + 100);
    assert_int_equal(segment_writer_append(&writer, large, LARGE), 0);
    assert_int_equal(size_of(state), writer.size);
    assert_int_equal(segment_writer_append(&writer, large, LARGE), -1);
    assert_int_equal(errno, EFBIG);
    unlimit_files();
    errno = EFBIG;
    assert_int_equal(segment_writer_take_back(&writer, HEADER + LARGE * 41), 0);
    assert_int_equal(errno, EFBIG);
    assert_int_equal(size_of(state), HEADER + LARGE * 41);
    append_large(&writer, 30);
    expect_content(state, &writer);
    segment_writer_end(&writer);
}

static void a_segment_that_can_not_be_begun_is_none(void **state)
{
    struct segment_writer writer;

    segment_writer_init(&writer);
    assert_int_equal(segment_writer_begin(&writer, -1, 5, 1), -1);
    assert_int_equal(writer.file, -1);
    segment_writer_rest(&writer);
    segment_writer_end(&writer);
    assert_false(file_exists(directory_of(state), name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(a_light_load_leaves_nothing_but_records),
        state_test(a_heavy_load_has_room_ahead_and_never_more_than_half),
        state_test(the_room_goes_when_the_load_does),
        state_test(a_disk_without_room_ahead_still_takes_records),
        state_test(a_segment_that_can_not_be_begun_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
