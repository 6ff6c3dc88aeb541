/* The segments of a journal as files: found by name, read as far as they are whole. */
#include "state_fixture.h"

#include "store/journal_segments.h"
#include "store/whole_file.h"

static const uint64_t journal = 77;

static int directory_of(void **state)
{
    return ((const struct state_fixture *)*state)->directory;
}

static void free_segments(struct segment *list)
{
    while (list != NULL) {
        struct segment *segment = list;

        list = segment->next;
        free(segment);
    }
}

static struct journal_record record_of(uint64_t number)
{
    return (struct journal_record){.number = number,
                                   .id = {.low = number + 1, .high = 1},
                                   .filing_step = 100 + (int64_t)(number % 5),
                                   .interval = 30,
                                   .window = 1};
}

static void make_segment(int directory, uint64_t first_number, uint64_t count)
{
    int file = segment_create(directory, journal, first_number);

    assert_true(file >= 0);
    for (uint64_t i = 0; i < count; i++) {
        struct journal_record record = record_of(first_number + i);
        uint8_t bytes[JOURNAL_RECORD_SIZE];

        journal_record_encode(&record, journal, bytes);
        assert_int_equal(write_all_at(file, bytes, sizeof(bytes),
                                      (off_t)(JOURNAL_SEGMENT_HEADER_SIZE + i * sizeof(bytes))),
                         0);
    }
    close(file);
}

static uint64_t loaded;

static void count_loaded(void *context, const struct journal_record *record, bool same_boot)
{
    uint64_t *next = context;

    assert_true(same_boot);
    assert_int_equal(record->number, *next);
    (*next)++;
    loaded++;
}

static bool read_segment(int directory, struct segment *segment)
{
    uint64_t next = segment->first_number;

    loaded = 0;
    return segment_read(directory, journal, segment, true, count_loaded, &next);
}

static void segments_are_found_in_order_and_nothing_else_is(void **state)
{
    static const char *const strangers[] = {"head",
                                            "count",
                                            "lock",
                                            "spent-",
                                            "spent-1",
                                            "spent-0000000000000000000x",
                                            "spent-000000000000000000001",
                                            "spent--0000000000000000001",
                                            "Spent-00000000000000000001",
                                            "spent-99999999999999999999",
                                            "spent-00000000000000000001~"};
    static const uint64_t numbers[] = {500, 3, UINT64_MAX, 1, 40};
    static const uint64_t sorted[] = {1, 3, 40, 500, UINT64_MAX};
    struct segment *list;
    const struct segment *segment;
    bool failed = true;

    assert_null(segments_find(directory_of(state), &failed));
    assert_false(failed);
    for (size_t i = 0; i < LENGTH_OF(strangers); i++)
        write_file(directory_of(state), strangers[i], "x", 1);
    for (size_t i = 0; i < LENGTH_OF(numbers); i++)
        make_segment(directory_of(state), numbers[i], 0);
    list = segments_find(directory_of(state), &failed);
    assert_false(failed);
    segment = list;
    for (size_t i = 0; i < LENGTH_OF(sorted); i++, segment = segment->next) {
        expect(segment != NULL && segment->first_number == sorted[i], "place %zu", i);
        expect(segment_is_empty(segment), "place %zu", i);
    }
    assert_null(segment);
    free_segments(list);
    assert_null(segments_find(-1, &failed));
    assert_true(failed);
}

static void a_segment_is_read_as_far_as_it_is_whole(void **state)
{
    enum { COUNT = 5, SIZE = JOURNAL_SEGMENT_HEADER_SIZE + COUNT * JOURNAL_RECORD_SIZE };
    static const char name[] = "spent-00000000000000000010";
    uint8_t content[FILE_MAX];

    make_segment(directory_of(state), 10, COUNT);
    assert_int_equal(read_file(directory_of(state), name, content), SIZE);
    for (size_t size = 0; size <= SIZE; size++) {
        struct segment segment = {.first_number = 10, .end_number = 10};
        uint64_t whole = size < JOURNAL_SEGMENT_HEADER_SIZE
                             ? 0
                             : (size - JOURNAL_SEGMENT_HEADER_SIZE) / JOURNAL_RECORD_SIZE;

        write_file(directory_of(state), name, content, size);
        expect(read_segment(directory_of(state), &segment) == (size >= JOURNAL_SEGMENT_HEADER_SIZE),
               "%zu bytes", size);
        expect(loaded == whole && segment.end_number == 10 + whole, "%zu bytes: %d", size,
               (int)loaded);
    }
    for (size_t at = JOURNAL_SEGMENT_HEADER_SIZE; at < SIZE; at += 5) {
        struct segment segment = {.first_number = 10, .end_number = 10};

        content[at] ^= 0x10;
        write_file(directory_of(state), name, content, SIZE);
        expect(read_segment(directory_of(state), &segment), "byte %zu", at);
        expect(loaded == (at - JOURNAL_SEGMENT_HEADER_SIZE) / JOURNAL_RECORD_SIZE, "byte %zu: %d",
               at, (int)loaded);
        content[at] ^= 0x10;
    }
}

/* Whole records, but not those that belong there: a gap in the numbers, and one that came before. */
static void a_record_out_of_turn_ends_the_reading(void **state)
{
    static const uint64_t numbers[] = {12, 10, 0, UINT64_MAX};

    for (size_t i = 0; i < LENGTH_OF(numbers); i++) {
        struct segment segment = {.first_number = 10, .end_number = 10};
        struct journal_record record = record_of(numbers[i]);
        uint8_t content[FILE_MAX];

        make_segment(directory_of(state), 10, 3);
        read_file(directory_of(state), "spent-00000000000000000010", content);
        journal_record_encode(&record, journal,
                              content + JOURNAL_SEGMENT_HEADER_SIZE + JOURNAL_RECORD_SIZE);
        write_file(directory_of(state), "spent-00000000000000000010", content,
                   JOURNAL_SEGMENT_HEADER_SIZE + 3 * JOURNAL_RECORD_SIZE);
        expect(read_segment(directory_of(state), &segment), "row %zu", i);
        expect(loaded == 1 && segment.end_number == 11, "row %zu: %d", i, (int)loaded);
    }
}

static void what_is_no_segment_of_this_journal_is_not_read(void **state)
{
    struct segment segment = {.first_number = 10, .end_number = 10};
    uint64_t next = 10;
    uint8_t content[FILE_MAX];
    ssize_t size;

    assert_false(read_segment(directory_of(state), &segment));
    make_segment(directory_of(state), 11, 3);
    size = read_file(directory_of(state), "spent-00000000000000000011", content);
    write_file(directory_of(state), "spent-00000000000000000010", content, (size_t)size);
    assert_false(read_segment(directory_of(state), &segment));
    make_segment(directory_of(state), 10, 3);
    assert_false(
        segment_read(directory_of(state), journal + 1, &segment, true, count_loaded, &next));
    remove_file(directory_of(state), "spent-00000000000000000010");
    assert_int_equal(
        symlinkat("spent-00000000000000000011", directory_of(state), "spent-00000000000000000010"),
        0);
    assert_false(read_segment(directory_of(state), &segment));
    remove_file(directory_of(state), "spent-00000000000000000010");
    assert_int_equal(mkfifoat(directory_of(state), "spent-00000000000000000010", 0600), 0);
    assert_false(read_segment(directory_of(state), &segment));
    assert_int_equal(segment.end_number, 10);
}

static void a_segment_knows_from_which_step_to_which_its_records_are(void **state)
{
    static const struct {
        int64_t step;
        uint32_t interval;
        int64_t begin, end; /* afterwards */
    } rows[] = {
        {100, 30, 3000, 3030}, {100, 30, 3000, 3030}, {102, 30, 3000, 3090}, {98, 30, 2940, 3090},
        {50, 60, 2940, 3090},  {60, 60, 2940, 3660},  {-1, 30, -30, 3660},
    };
    struct segment segment = {.first_number = 7, .end_number = 7};

    (void)state;
    assert_true(segment_is_empty(&segment));
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct journal_record record = {.filing_step = rows[i].step, .interval = rows[i].interval};

        segment_note(&segment, journal_record_step(&record), 1);
        expect(segment.steps.begin == rows[i].begin && segment.steps.end == rows[i].end,
               "row %zu: %d to %d", i, (int)segment.steps.begin, (int)segment.steps.end);
        assert_int_equal(segment.end_number, 8 + i);
        assert_false(segment_is_empty(&segment));
    }
}

static void a_segment_that_can_not_be_begun_leaves_nothing(void **state)
{
    limit_files(JOURNAL_SEGMENT_HEADER_SIZE - 1);
    assert_int_equal(segment_create(directory_of(state), journal, 5), -1);
    assert_int_equal(errno, EFBIG);
    unlimit_files();
    assert_false(file_exists(directory_of(state), "spent-00000000000000000005"));
    assert_int_equal(segment_create(-1, journal, 5), -1);
}

static void a_segment_is_synced_and_unlinked_by_its_number(void **state)
{
    struct segment segment = {.first_number = 5, .end_number = 5};

    assert_int_equal(segment_sync(directory_of(state), &segment), -1);
    make_segment(directory_of(state), 5, 1);
    assert_int_equal(segment_sync(directory_of(state), &segment), 0);
    segment_unlink(directory_of(state), &segment);
    assert_false(file_exists(directory_of(state), "spent-00000000000000000005"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(segments_are_found_in_order_and_nothing_else_is),
        state_test(a_segment_is_read_as_far_as_it_is_whole),
        state_test(a_record_out_of_turn_ends_the_reading),
        state_test(what_is_no_segment_of_this_journal_is_not_read),
        state_test(a_segment_knows_from_which_step_to_which_its_records_are),
        state_test(a_segment_that_can_not_be_begun_leaves_nothing),
        state_test(a_segment_is_synced_and_unlinked_by_its_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
