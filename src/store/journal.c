#include "store/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/fingerprint.h"
#include "base/little_endian.h"
#include "store/journal_segments.h"
#include "store/syncer.h"
#include "store/whole_file.h"

/* The usual time step: a segment for each, so that what is over goes a step at a time. */
enum { SEGMENT_MS = 30 * 1000 };

enum { COUNT_SIZE = 16 };
static const char count_name[] = "count";

struct journal {
    int directory;
    struct journal_head head;
    struct segment *segments; /* the oldest first; the last may be the one being written */
    struct segment *current;  /* NULL: the next record begins a new one */
    int current_file;
    off_t current_size;
    int count_file;
    uint64_t next_number;
    bool head_is_stale; /* it could not be written, or says less than is known */
    struct syncer syncer;
    uint8_t *buffer;
    size_t buffer_size;
};

/* --- the count
 * -----------------------------------------------------------------------------------------------------
 */

static void encode_count(const struct journal *journal, uint64_t next_number, uint8_t *bytes)
{
    uint8_t *checksum = put_u64(bytes, next_number);

    put_u64(checksum, fingerprint(FINGERPRINT_SEED ^ journal->head.journal, bytes, 8));
}

static bool read_count(const struct journal *journal, uint64_t *next_number_r)
{
    uint8_t bytes[COUNT_SIZE], expected[COUNT_SIZE];

    if (whole_file_read(journal->directory, count_name, bytes, sizeof(bytes)) != COUNT_SIZE)
        return false;
    take_u64(bytes, next_number_r);
    encode_count(journal, *next_number_r, expected);
    return memcmp(bytes, expected, sizeof(bytes)) == 0;
}

static int write_count(struct journal *journal, uint64_t next_number)
{
    uint8_t bytes[COUNT_SIZE];

    if (journal->count_file < 0)
        journal->count_file = openat(journal->directory, count_name,
                                     O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->count_file < 0)
        return -1;
    encode_count(journal, next_number, bytes);
    return write_all_at(journal->count_file, bytes, sizeof(bytes), 0);
}

/* --- opening
 * -------------------------------------------------------------------------------------------------------
 */

struct opening {
    struct moment now;
    journal_loader *load;
    void *context;
    bool same_boot;
    const char *incomplete;
};

static void note_incomplete(struct opening *opening, const char *why)
{
    if (opening->incomplete == NULL)
        opening->incomplete = why;
}

static bool is_same_boot(const struct journal_head *head)
{
    char boot_id[BOOT_ID_SIZE];

    return head->has_boot_id && boot_id_read(boot_id) &&
           memcmp(boot_id, head->boot_id, BOOT_ID_SIZE) == 0;
}

/* Another journal than any before: records left by those are not taken for its own. */
static void begin_new_head(struct journal *journal)
{
    uint64_t number;

    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number))
        number = (uint64_t)moment_now().wall_ms << 16 ^ (uint64_t)getpid();
    journal->head = (struct journal_head){.journal = number, .first_number = 1};
}

/* Reads each segment; one that is not this journal's is removed: it would look like damage at every
 * start to come. */
static void read_segments(struct journal *journal, struct opening *opening)
{
    struct segment **link = &journal->segments;

    while (*link != NULL) {
        struct segment *segment = *link;

        if (segment_read(journal->directory, journal->head.journal, segment, opening->same_boot,
                         opening->load, opening->context)) {
            link = &segment->next;
            continue;
        }
        note_incomplete(opening, "a segment is damaged or foreign");
        segment_unlink(journal->directory, segment);
        *link = segment->next;
        free(segment);
    }
}

/* Whether the records that count are all there: consecutive, and as many as were ever counted. */
static void check_numbers(struct journal *journal, struct opening *opening)
{
    uint64_t expected = journal->head.first_number;
    uint64_t counted = 0;

    for (const struct segment *segment = journal->segments; segment != NULL;
         segment = segment->next) {
        if (segment->first_number > expected)
            note_incomplete(opening, "records are missing");
        if (segment->end_number > expected)
            expected = segment->end_number;
    }
    if (!read_count(journal, &counted))
        note_incomplete(opening, "the count of records is missing or damaged");
    else if (counted > expected)
        note_incomplete(opening, "records are missing at the end");
    journal->next_number = counted > expected ? counted : expected;
}

static void judge_head(struct journal *journal, struct opening *opening)
{
    int found = journal_head_read(journal->directory, &journal->head);

    if (found != 0) {
        note_incomplete(opening,
                        found > 0 ? "the state directory is empty" : "the head is damaged");
        begin_new_head(journal);
        return;
    }
    opening->same_boot = is_same_boot(&journal->head);
    if (!opening->same_boot && !journal->head.is_clean)
        note_incomplete(opening, "the machine was started anew without a clean stop before");
}

/* The floor of an earlier start goes on; over another boot the wall clock alone can tell how long
 * ago it was. */
static void carry_floor(struct start_floor *floor, bool same_boot, struct moment now)
{
    if (!floor->active || same_boot)
        return;
    floor->start_boot_ms = now.boot_ms - (now.wall_ms - floor->start_wall_ms);
    if (floor->start_boot_ms > now.boot_ms)
        floor->start_boot_ms = now.boot_ms;
}

static int begin(struct journal *journal, struct opening *opening)
{
    bool failed;

    judge_head(journal, opening);
    carry_floor(&journal->head.floor, opening->same_boot, opening->now);
    journal->segments = segments_find(journal->directory, &failed);
    if (failed)
        return -1;
    read_segments(journal, opening);
    check_numbers(journal, opening);
    if (opening->incomplete != NULL) {
        /* What is there is loaded, but nothing of it is needed for the record from here on to be
         * whole. */
        journal->head.first_number = journal->next_number;
        start_floor_set(&journal->head.floor, opening->now);
    }
    journal->head.is_clean = false;
    journal->head.has_boot_id = boot_id_read(journal->head.boot_id);
    if (write_count(journal, journal->next_number) != 0)
        return -1;
    /* On the disk before the first yes: a power cut after it must find the mark of a clean stop
     * gone. */
    return journal_head_write(journal->directory, &journal->head, true);
}

static void destroy(struct journal **journal)
{
    struct journal *gone = *journal;

    syncer_finish(&gone->syncer);
    while (gone->segments != NULL) {
        struct segment *segment = gone->segments;

        gone->segments = segment->next;
        free(segment);
    }
    if (gone->current_file >= 0)
        close(gone->current_file);
    if (gone->count_file >= 0)
        close(gone->count_file);
    free(gone->buffer);
    free(gone);
    *journal = NULL;
}

struct journal *journal_open(int directory, struct moment now, journal_loader *load, void *context,
                             const char **incomplete_r, const struct journal_head **head_r)
{
    struct opening opening = {.now = now, .load = load, .context = context};
    struct journal *journal = calloc(1, sizeof(*journal));

    if (journal == NULL)
        return NULL;
    journal->directory = directory;
    journal->current_file = journal->count_file = -1;
    if (begin(journal, &opening) != 0) {
        int error = errno;

        destroy(&journal);
        errno = error;
        return NULL;
    }
    *incomplete_r = opening.incomplete;
    *head_r = &journal->head;
    return journal;
}

/* --- appending
 * -----------------------------------------------------------------------------------------------------
 */

static void end_current(struct journal *journal)
{
    if (journal->current_file >= 0)
        close(journal->current_file);
    journal->current_file = -1;
    journal->current = NULL;
}

/* The segment that begins with the next record: one that was begun and got none (its file is then
 * begun anew), or another at the end of the list. NULL where memory is short. */
static struct segment *next_segment(struct journal *journal)
{
    struct segment **link = &journal->segments;

    while (*link != NULL && (*link)->first_number != journal->next_number)
        link = &(*link)->next;
    if (*link == NULL)
        *link = calloc(1, sizeof(**link));
    return *link;
}

static int begin_segment(struct journal *journal, struct moment now)
{
    struct segment *segment = next_segment(journal);

    if (segment == NULL)
        return -1;
    segment->first_number = segment->end_number = journal->next_number;
    segment->begun_boot_ms = now.boot_ms;
    journal->current_file =
        segment_create(journal->directory, journal->head.journal, journal->next_number);
    if (journal->current_file < 0)
        return -1;
    journal->current = segment;
    journal->current_size = JOURNAL_SEGMENT_HEADER_SIZE;
    return 0;
}

static int encode_all(struct journal *journal, struct journal_record *records, size_t count)
{
    size_t size = count * JOURNAL_RECORD_SIZE;

    if (size > journal->buffer_size) {
        uint8_t *buffer = realloc(journal->buffer, size * 2);

        if (buffer == NULL)
            return -1;
        journal->buffer = buffer;
        journal->buffer_size = size * 2;
    }
    for (size_t i = 0; i < count; i++) {
        records[i].number = journal->next_number + i;
        journal_record_encode(&records[i], journal->head.journal,
                              journal->buffer + i * JOURNAL_RECORD_SIZE);
    }
    return 0;
}

/* Takes back what may have been written of a failed append, or leaves the segment as it is and goes
 * on in another. */
static void take_back(struct journal *journal)
{
    int error = errno;

    if (ftruncate(journal->current_file, journal->current_size) != 0)
        end_current(journal);
    errno = error;
}

int journal_append(struct journal *journal, struct journal_record *records, size_t count,
                   struct moment now)
{
    size_t size = count * JOURNAL_RECORD_SIZE;

    if (journal->current != NULL && now.boot_ms - journal->current->begun_boot_ms >= SEGMENT_MS)
        end_current(journal);
    if (encode_all(journal, records, count) != 0 ||
        (journal->current == NULL && begin_segment(journal, now) != 0))
        return -1;
    if (write_all_at(journal->current_file, journal->buffer, size, journal->current_size) != 0 ||
        write_count(journal, journal->next_number + count) != 0) {
        take_back(journal);
        return -1;
    }
    for (size_t i = 0; i < count; i++)
        segment_note(journal->current, &records[i]);
    journal->current_size += (off_t)size;
    journal->next_number += count;
    return 0;
}

/* --- letting go
 * ----------------------------------------------------------------------------------------------------
 */

/*
 * Whether all that a segment records is closed time. Its own records' windows would not do: a step
 * stays open, and its tokens are asked about, as long as the last of them was given by a later
 * segment, another host or a wider window.
 */
static bool is_done(const struct segment *segment, const struct replay_index *index)
{
    return segment_is_empty(segment) || !replay_index_touches(index, segment->steps);
}

/* The number before which everything is done with: segments are let go from the oldest on, so that
 * no gap appears. */
static uint64_t first_number_needed(const struct journal *journal, const struct replay_index *index)
{
    for (const struct segment *segment = journal->segments; segment != NULL;
         segment = segment->next) {
        if (!is_done(segment, index))
            return segment->first_number > journal->head.first_number ? segment->first_number
                                                                      : journal->head.first_number;
    }
    return journal->next_number;
}

/* Those that the head on the disk does not count any more. */
static void unlink_done(struct journal *journal, const struct replay_index *index)
{
    while (journal->segments != NULL && is_done(journal->segments, index) &&
           journal->segments->end_number <= journal->head.first_number) {
        struct segment *segment = journal->segments;

        if (segment == journal->current)
            end_current(journal);
        journal->segments = segment->next;
        segment_unlink(journal->directory, segment);
        free(segment);
    }
}

void journal_tick(struct journal *journal, const struct replay_index *index, bool closed_changed,
                  const struct start_floor *floor)
{
    enum syncer_state state = syncer_take(&journal->syncer);
    uint64_t first_number = first_number_needed(journal, index);

    if (state == SYNCER_DONE && !journal->head_is_stale)
        unlink_done(journal, index);
    if (state == SYNCER_FAILED)
        journal->head_is_stale = true;
    journal->head_is_stale |=
        closed_changed || first_number != journal->head.first_number ||
        floor->start_wall_ms / 1000 != journal->head.floor.start_wall_ms / 1000;
    if (!journal->head_is_stale || state == SYNCER_RUNNING)
        return;
    journal->head.closed = *replay_index_closed(index);
    journal->head.floor = *floor;
    journal->head.first_number = first_number;
    if (journal_head_write(journal->directory, &journal->head, false) != 0) {
        /* The journal itself may have filled the disk. What is done with goes before the head says
         * so: a crash meanwhile finds records missing, and refuses. */
        if (errno == ENOSPC || errno == EDQUOT)
            unlink_done(journal, index);
        return;
    }
    journal->head_is_stale = false;
    syncer_begin(&journal->syncer, journal->directory, "head");
}

/* All records and their count; whether all of it went well. */
static bool sync_records(const struct journal *journal)
{
    bool done = journal->count_file >= 0 && fsync(journal->count_file) == 0;

    for (const struct segment *segment = journal->segments; segment != NULL;
         segment = segment->next)
        done &= segment_sync(journal->directory, segment) == 0;
    return done;
}

void journal_close(struct journal **journal, const struct closed_time *closed,
                   const struct start_floor *floor)
{
    struct journal *gone = *journal;

    if (gone == NULL)
        return;
    syncer_finish(&gone->syncer);
    gone->head.closed = *closed;
    gone->head.floor = *floor;
    gone->head.is_clean = sync_records(gone);
    /* Where this fails the mark is not there, and the next boot refuses a little: the safe side. */
    if (journal_head_write(gone->directory, &gone->head, true) != 0)
        errno = 0;
    destroy(journal);
}
