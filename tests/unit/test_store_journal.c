/* The journal finds all that was ever answered for, or says that it may not. */
#include "state_fixture.h"

#include "store/journal.h"

static const struct closed_time nothing_closed;
static const struct start_floor no_floor;

struct found {
    bool ids[256];
    size_t count;
};

static void find(void *context, const struct journal_record *record, bool same_boot)
{
    struct found *found = context;

    (void)same_boot;
    assert_in_range(record->id.low, 1, 255);
    assert_false(found->ids[record->id.low]);
    found->ids[record->id.low] = true;
    found->count++;
}

static int directory_of(void **state)
{
    return ((const struct state_fixture *)*state)->directory;
}

static struct journal *open_journal(int directory, struct found *found, const char **incomplete_r)
{
    const struct journal_head *head;
    struct journal *journal;

    *found = (struct found){.count = 0};
    *incomplete_r = NULL;
    journal = journal_open(directory, after(0), find, found, incomplete_r, &head);
    assert_non_null(journal);
    return journal;
}

static int append(struct journal *journal, uint64_t first_id, size_t count, int64_t second)
{
    for (size_t i = 0; i < count; i++) {
        struct journal_record record = {.id = {.low = first_id + i, .high = 9},
                                        .filing_step = noon / 30,
                                        .interval = 30,
                                        .window = 1};

        assert_int_equal(journal_add(journal, &record), 0);
    }
    return journal_commit(journal, after(second));
}

static void close_journal(struct journal **journal)
{
    journal_close(journal, &nothing_closed, &no_floor);
    assert_null(*journal);
}

/* Three segments: 12 records in all, with ids 1 to 12. */
static void fill(int directory)
{
    struct found found;
    const char *incomplete;
    struct journal *journal = open_journal(directory, &found, &incomplete);

    close_journal(&journal);
    journal = open_journal(directory, &found, &incomplete);
    assert_null(incomplete);
    for (int64_t turn = 0; turn < 6; turn++)
        assert_int_equal(append(journal, 1 + 2 * (uint64_t)turn, 2, 16 * turn), 0);
    close_journal(&journal);
}

static void nothing_is_a_beginning_that_vouches_for_nothing(void **state)
{
    struct found found;
    const char *incomplete;
    struct journal *journal = open_journal(directory_of(state), &found, &incomplete);

    assert_non_null(incomplete);
    assert_int_equal(found.count, 0);
    close_journal(&journal);
    journal = open_journal(directory_of(state), &found, &incomplete);
    assert_null(incomplete);
    close_journal(&journal);
}

static void all_records_of_all_segments_are_found(void **state)
{
    struct found found;
    const char *incomplete;
    struct journal *journal;

    fill(directory_of(state));
    for (int start = 0; start < 3; start++) {
        journal = open_journal(directory_of(state), &found, &incomplete);
        expect(incomplete == NULL, "start %d: %s", start, incomplete);
        assert_int_equal(found.count, 12 + (size_t)start);
        assert_int_equal(append(journal, 13 + (uint64_t)start, 1, 200), 0);
        close_journal(&journal);
    }
}

static char names[8][256];
static size_t name_count;

static void note_name(int directory, const char *name)
{
    (void)directory;
    if (name_count < LENGTH_OF(names))
        snprintf(names[name_count++], sizeof(names[0]), "%s", name);
}

/* Opens what was damaged: with 12 records found it may be whole; with fewer it says that it is not.
 */
static void expect_honest(int directory, const char *name, const char *damage, ssize_t at)
{
    struct found found;
    const char *incomplete;
    struct journal *journal = open_journal(directory, &found, &incomplete);

    expect(incomplete != NULL, "%s: %s %zd: found %zu", name, damage, at, found.count);
    /* What comes after it is on record, and whole again. */
    assert_int_equal(append(journal, 100, 3, 1), 0);
    close_journal(&journal);
    journal = open_journal(directory, &found, &incomplete);
    expect(incomplete == NULL, "%s: %s %zd, then: %s", name, damage, at, incomplete);
    expect(found.ids[100] && found.ids[101] && found.ids[102], "%s: %s %zd", name, damage, at);
    close_journal(&journal);
}

static int kept[2];

static void keep_copy(int directory, const char *name)
{
    uint8_t content[FILE_MAX];
    ssize_t size = read_file(directory, name, content);

    assert_true(size >= 0);
    if (size >= 0)
        write_file(directory == kept[0] ? kept[1] : kept[0], name, content, (size_t)size);
}

static void every_damage_to_every_file_is_owned_up_to(void **state)
{
    void *original_state = NULL;
    const struct state_fixture *original;
    uint8_t content[FILE_MAX];

    set_up_state(&original_state);
    original = original_state;
    fill(original->directory);
    kept[0] = original->directory;
    kept[1] = directory_of(state);
    name_count = 0;
    each_file(original->directory, note_name);
    assert_int_equal(name_count, 5);
    for (size_t i = 0; i < name_count; i++) {
        ssize_t size = read_file(original->directory, names[i], content);

        for (ssize_t at = -1; at < size; at += 13) {
            empty_state(*state);
            each_file(original->directory, keep_copy);
            if (at < 0) {
                remove_file(directory_of(state), names[i]);
                expect_honest(directory_of(state), names[i], "gone", at);
                continue;
            }
            content[at] ^= 0x80;
            write_file(directory_of(state), names[i], content, (size_t)size);
            expect_honest(directory_of(state), names[i], "flipped at", at);
            content[at] ^= 0x80;
            empty_state(*state);
            each_file(original->directory, keep_copy);
            write_file(directory_of(state), names[i], content, (size_t)at);
            expect_honest(directory_of(state), names[i], "cut off at", at);
        }
    }
    tear_down_state(&original_state);
}

static void an_append_that_fails_is_taken_back_and_tried_again(void **state)
{
    struct found found;
    const char *incomplete;
    struct journal *journal = open_journal(directory_of(state), &found, &incomplete);

    assert_int_equal(append(journal, 1, 3, 0), 0);
    for (rlim_t limit = 200; limit < 600; limit += 50) {
        limit_files(limit);
        assert_int_equal(append(journal, 10, 20, 0), -1);
        assert_int_equal(errno, EFBIG);
        unlimit_files();
    }
    assert_int_equal(append(journal, 4, 3, 0), 0);
    /* In a segment that is yet to be begun, too. */
    limit_files(10);
    assert_int_equal(append(journal, 10, 1, 40), -1);
    unlimit_files();
    assert_int_equal(append(journal, 7, 3, 40), 0);
    close_journal(&journal);
    journal = open_journal(directory_of(state), &found, &incomplete);
    assert_null(incomplete);
    assert_int_equal(found.count, 9);
    close_journal(&journal);
}

static void a_directory_that_can_not_be_used_is_an_error(void **state)
{
    const struct journal_head *head;
    const char *incomplete = "untouched";
    struct found found = {.count = 0};

    assert_null(journal_open(-1, after(0), find, &found, &incomplete, &head));
    assert_int_equal(errno, EBADF);
    limit_files(0);
    assert_null(journal_open(directory_of(state), after(0), find, &found, &incomplete, &head));
    assert_int_equal(errno, EFBIG);
    unlimit_files();
    assert_string_equal(incomplete, "untouched");
}

static void a_journal_that_was_not_closed_is_not_clean(void **state)
{
    struct journal_head head;
    struct found found;
    const char *incomplete;
    struct journal *journal = open_journal(directory_of(state), &found, &incomplete);

    assert_int_equal(journal_head_read(directory_of(state), &head), 0);
    assert_false(head.is_clean);
    assert_int_equal(append(journal, 1, 3, 0), 0);
    close_journal(&journal);
    assert_int_equal(journal_head_read(directory_of(state), &head), 0);
    assert_true(head.is_clean);
    journal = open_journal(directory_of(state), &found, &incomplete);
    assert_int_equal(journal_head_read(directory_of(state), &head), 0);
    assert_false(head.is_clean);
    /* Nor is one whose records can't be synced. */
    assert_int_equal(append(journal, 4, 3, 0), 0);
    remove_file(directory_of(state), "spent-00000000000000000004");
    close_journal(&journal);
    assert_int_equal(journal_head_read(directory_of(state), &head), 0);
    assert_false(head.is_clean);
    journal_close(&journal, &nothing_closed, &no_floor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(nothing_is_a_beginning_that_vouches_for_nothing),
        state_test(all_records_of_all_segments_are_found),
        state_test(every_damage_to_every_file_is_owned_up_to),
        state_test(an_append_that_fails_is_taken_back_and_tried_again),
        state_test(a_directory_that_can_not_be_used_is_an_error),
        state_test(a_journal_that_was_not_closed_is_not_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
