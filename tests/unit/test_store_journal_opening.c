/* How a journal is found at a start: what is said of one that lacks something, what of an earlier
 * start goes on, and what is on the disk before the first yes. */
#include "state_fixture.h"

#include <sys/random.h>
#include <sys/syscall.h>

#include "store/journal.h"
#include "store/journal_head.h"

static const struct closed_time nothing_closed;
static const struct start_floor no_floor;

static unsigned syncs;

int fsync(int descriptor)
{
    syncs++;
    return (int)syscall(SYS_fsync, descriptor);
}

/* The number that a journal gets; 0: the system has none. */
static uint64_t random_number;

ssize_t getrandom(void *buffer, size_t size, unsigned flags)
{
    (void)flags;
    if (random_number == 0 || size != sizeof(random_number)) {
        errno = EAGAIN;
        return -1;
    }
    memcpy(buffer, &random_number, size);
    return (ssize_t)size;
}

static void ignore(void *context, const struct journal_record *record, bool same_boot)
{
    (void)context;
    (void)record;
    (void)same_boot;
}

static int directory_of(void **state)
{
    return ((const struct state_fixture *)*state)->directory;
}

/* Opens, and says why it is incomplete, or "whole". */
static const char *open_journal(int directory, struct moment now, struct journal **journal_r,
                                const struct journal_head **head_r)
{
    const char *incomplete = NULL;

    *journal_r = journal_open(directory, now, ignore, NULL, &incomplete, head_r);
    assert_non_null(*journal_r);
    return incomplete == NULL ? "whole" : incomplete;
}

static void append(struct journal *journal, uint64_t id, int64_t second)
{
    struct journal_record record = {
        .id = {.low = id, .high = 9}, .filing_step = noon / 30, .interval = 30, .window = 1};

    assert_int_equal(journal_add(journal, &record), 0);
    assert_int_equal(journal_commit(journal, after(second)), 0);
}

/* A whole journal with two segments, closed in order, whose number is given. */
static void make_journal(int directory, uint64_t number)
{
    const struct journal_head *head;
    struct journal *journal;

    random_number = number;
    (void)open_journal(directory, after(0), &journal, &head);
    append(journal, 1, 0);
    append(journal, 2, 60);
    journal_close(&journal, &nothing_closed, &head->floor);
}

static char names[8][NAME_MAX + 1];
static size_t name_count;

static void note_segment(int directory, const char *name)
{
    (void)directory;
    if (strncmp(name, "spent-", 6) == 0 && name_count < LENGTH_OF(names))
        copy_text(names[name_count++], name);
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(one, other);
}

/* The segments' names, the oldest first. */
static void find_segments(int directory)
{
    name_count = 0;
    each_file(directory, note_segment);
    qsort(names, name_count, sizeof(names[0]), compare_names);
}

static void remove_head(int directory)
{
    assert_int_equal(unlinkat(directory, "head", 0), 0);
}

static void damage_head(int directory)
{
    write_file(directory, "head", "no head", 7);
}

static void remove_count(int directory)
{
    assert_int_equal(unlinkat(directory, "count", 0), 0);
}

/* What another journal left in its directory. */
static void from_another(int directory, const char *wanted, const char *name)
{
    uint8_t content[FILE_MAX];
    void *parked = NULL;
    const struct state_fixture *other;
    ssize_t size;

    set_up_state(&parked);
    other = parked;
    make_journal(other->directory, 77);
    find_segments(other->directory);
    size = read_file(other->directory, wanted == NULL ? names[0] : wanted, content);
    assert_true(size > 0);
    write_file(directory, name, content, (size_t)size);
    tear_down_state(&parked);
}

static void take_count_of_another(int directory)
{
    from_another(directory, "count", "count");
}

static void add_segment_of_another(int directory)
{
    from_another(directory, NULL, "spent-00000000000000000255");
}

static void remove_last_segment(int directory)
{
    find_segments(directory);
    assert_int_equal(name_count, 2);
    assert_int_equal(unlinkat(directory, names[1], 0), 0);
}

static void remove_first_segment(int directory)
{
    find_segments(directory);
    assert_int_equal(name_count, 2);
    assert_int_equal(unlinkat(directory, names[0], 0), 0);
}

static void empty(int directory)
{
    each_file(directory, remove_file);
}

static void change_boot(int directory)
{
    struct journal_head head;

    assert_int_equal(journal_head_read(directory, &head), 0);
    head.boot_id[0] ^= 1;
    assert_int_equal(journal_head_write(directory, &head, false), 0);
}

static void end_without_mark(int directory)
{
    struct journal_head head;

    change_boot(directory);
    assert_int_equal(journal_head_read(directory, &head), 0);
    head.is_clean = false;
    assert_int_equal(journal_head_write(directory, &head, false), 0);
}

static void leave(int directory)
{
    (void)directory;
}

static void what_is_lacking_is_named(void **state)
{
    static const struct {
        void (*damage)(int directory);
        const char *incomplete;
    } rows[] = {
        {leave, "whole"},
        {change_boot, "whole"},
        {empty, "the state directory is empty"},
        {remove_head, "the state directory is empty"},
        {damage_head, "the head is damaged"},
        {end_without_mark, "the machine was started anew without a clean stop before"},
        {remove_count, "the count of records is missing or damaged"},
        {take_count_of_another, "the count of records is missing or damaged"},
        {add_segment_of_another, "a segment is damaged or foreign"},
        {remove_first_segment, "records are missing"},
        {remove_last_segment, "records are missing at the end"},
    };
    int directory = directory_of(state);

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const struct journal_head *head;
        struct journal *journal;
        const char *incomplete;

        make_journal(directory, 42);
        rows[i].damage(directory);
        incomplete = open_journal(directory, after(100), &journal, &head);
        expect(strcmp(incomplete, rows[i].incomplete) == 0, "row %zu: %s", i, incomplete);
        journal_close(&journal, &nothing_closed, &head->floor);
        /* Said once: what was foreign is gone, and the record is whole from there on. */
        incomplete = open_journal(directory, after(110), &journal, &head);
        expect(strcmp(incomplete, "whole") == 0, "row %zu, again: %s", i, incomplete);
        journal_close(&journal, &nothing_closed, &head->floor);
        empty(directory);
    }
}

/* Else the records of the one would be taken for the other's. */
static void each_journal_has_a_number_of_its_own(void **state)
{
    int directory = directory_of(state);
    const struct journal_head *head;
    struct journal *journal;
    int64_t before, made;

    random_number = UINT64_C(0x123456789abcdef0);
    (void)open_journal(directory, after(0), &journal, &head);
    assert_int_equal(head->journal, random_number);
    journal_close(&journal, &nothing_closed, &no_floor);
    empty(directory);
    /* Without random numbers by the time, to the millisecond, and the process. */
    random_number = 0;
    before = moment_now().wall_ms;
    (void)open_journal(directory, after(0), &journal, &head);
    made = (int64_t)((head->journal ^ (uint64_t)getpid()) >> 16);
    expect(made >= before && made <= moment_now().wall_ms, "%lld", (long long)made);
    journal_close(&journal, &nothing_closed, &no_floor);
}

/* When the earlier start was by this boot's clock: the wall clock alone can tell. */
static void the_floor_of_an_earlier_start_goes_on(void **state)
{
    static const struct {
        const char *name;
        bool has_floor, changes_boot;
        int64_t wall, boot; /* of the next start */
        int64_t start_boot;
    } rows[] = {
        {"the same boot", true, false, 100, 1100, 1000},
        {"another boot", true, true, 100, 5, 5 - 100},
        {"another boot, right after", true, true, 0, 5, 5},
        {"another boot, and a clock put back", true, true, -50, 5, 5},
        {"no floor", false, true, 100, 5, 0},
    };
    int directory = directory_of(state);

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const struct journal_head *head;
        struct journal *journal;

        random_number = 42;
        (void)open_journal(directory, after(0), &journal, &head);
        journal_close(&journal, &nothing_closed, rows[i].has_floor ? &head->floor : &no_floor);
        if (rows[i].changes_boot)
            change_boot(directory);
        expect(strcmp(open_journal(directory, clocks(rows[i].wall, rows[i].boot), &journal, &head),
                      "whole") == 0,
               "%s", rows[i].name);
        expect(head->floor.active == rows[i].has_floor, "%s", rows[i].name);
        expect(head->floor.start_boot_ms == rows[i].start_boot * 1000, "%s: %lld", rows[i].name,
               (long long)head->floor.start_boot_ms);
        expect(!rows[i].has_floor || head->floor.start_wall_ms == noon * 1000, "%s", rows[i].name);
        journal_close(&journal, &nothing_closed, &no_floor);
        empty(directory);
    }
}

/* A power cut after the first yes must find the mark of the clean stop gone. */
static void the_mark_of_a_clean_stop_is_off_the_disk_before_the_first_yes(void **state)
{
    int directory = directory_of(state);
    const struct journal_head *head;
    struct journal_head found;
    struct journal *journal;

    make_journal(directory, 42);
    assert_int_equal(journal_head_read(directory, &found), 0);
    assert_true(found.is_clean);
    syncs = 0;
    assert_string_equal(open_journal(directory, after(100), &journal, &head), "whole");
    assert_true(syncs > 0);
    assert_int_equal(journal_head_read(directory, &found), 0);
    assert_false(found.is_clean);
    journal_close(&journal, &nothing_closed, &no_floor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(what_is_lacking_is_named),
        state_test(each_journal_has_a_number_of_its_own),
        state_test(the_floor_of_an_earlier_start_goes_on),
        state_test(the_mark_of_a_clean_stop_is_off_the_disk_before_the_first_yes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
