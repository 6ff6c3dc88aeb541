#include "store/journal.h"

#include <errno.h>
#include <stdlib.h>

#include "store/journal_opening.h"

/* The usual time step: a segment for each, so that what is over goes a step at a time. */
enum { SEGMENT_MS = 30 * 1000 };

enum { TURN_RECORDS = 64 }; /* room to begin with */

static void destroy(struct journal **journal)
{
    struct journal *gone = *journal;

    syncer_finish(&gone->syncer);
    while (gone->segments != NULL) {
        struct segment *segment = gone->segments;

        gone->segments = segment->next;
        free(segment);
    }
    segment_writer_end(&gone->writer);
    journal_count_close(&gone->count);
    free(gone->turn.bytes);
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
    journal_count_init(&journal->count, directory, 0);
    segment_writer_init(&journal->writer);
    if (journal_begin(journal, &opening) != 0) {
        int error = errno;

        destroy(&journal);
        errno = error;
        return NULL;
    }
    *incomplete_r = opening.incomplete;
    *head_r = &journal->head;
    return journal;
}

/* --- appending */

static int make_room(struct journal_turn *turn)
{
    size_t room = turn->room == 0 ? (size_t)TURN_RECORDS * JOURNAL_RECORD_SIZE : turn->room * 2;
    uint8_t *bytes;

    if ((turn->count + 1) * JOURNAL_RECORD_SIZE <= turn->room)
        return 0;
    bytes = realloc(turn->bytes, room);
    if (bytes == NULL)
        return -1;
    turn->bytes = bytes;
    turn->room = room;
    return 0;
}

int journal_add(struct journal *journal, struct journal_record *record)
{
    struct journal_turn *turn = &journal->turn;
    struct stretch step = journal_record_step(record);

    if (make_room(turn) != 0) {
        turn->count = 0;
        return -1;
    }
    record->number = journal->next_number + turn->count;
    journal_record_encode(record, journal->head.journal,
                          turn->bytes + turn->count * JOURNAL_RECORD_SIZE);
    if (turn->count == 0 || step.begin < turn->steps.begin)
        turn->steps.begin = step.begin;
    if (turn->count == 0 || step.end > turn->steps.end)
        turn->steps.end = step.end;
    turn->count++;
    return 0;
}

static void end_current(struct journal *journal)
{
    segment_writer_end(&journal->writer);
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
    if (segment_writer_begin(&journal->writer, journal->directory, journal->head.journal,
                             journal->next_number) != 0)
        return -1;
    journal->current = segment;
    return 0;
}

/* What may have been written of a commit that failed is taken back, or the segment left as it is and
 * gone on in another. */
static void take_back(struct journal *journal, off_t size)
{
    if (segment_writer_take_back(&journal->writer, size) != 0)
        end_current(journal);
}

int journal_commit(struct journal *journal, struct moment now)
{
    struct journal_turn *turn = &journal->turn;
    uint64_t count = turn->count;
    off_t before;

    turn->count = 0;
    if (journal->current != NULL && now.boot_ms - journal->current->begun_boot_ms >= SEGMENT_MS)
        end_current(journal);
    if (journal->current == NULL && begin_segment(journal, now) != 0)
        return -1;
    before = journal->writer.size;
    if (segment_writer_append(&journal->writer, turn->bytes, count * JOURNAL_RECORD_SIZE) != 0 ||
        journal_count_write(&journal->count, journal->next_number + count) != 0) {
        take_back(journal, before);
        return -1;
    }
    segment_note(journal->current, turn->steps, count);
    journal->next_number += count;
    return 0;
}

/* --- letting go */

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

    segment_writer_rest(&journal->writer);
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
    bool done = journal_count_sync(&journal->count) == 0;

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
    segment_writer_end(&gone->writer);
    gone->head.is_clean = sync_records(gone);
    /* Where this fails the mark is not there, and the next boot refuses a little: the safe side. */
    if (journal_head_write(gone->directory, &gone->head, true) != 0)
        errno = 0;
    destroy(journal);
}
