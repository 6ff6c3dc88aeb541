#include "store/journal_opening.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

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
    if (!journal_count_read(&journal->count, &counted))
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

int journal_begin(struct journal *journal, struct opening *opening)
{
    bool failed;

    judge_head(journal, opening);
    carry_floor(&journal->head.floor, opening->same_boot, opening->now);
    journal_count_init(&journal->count, journal->directory, journal->head.journal);
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
    if (journal_count_write(&journal->count, journal->next_number) != 0)
        return -1;
    /* On the disk before the first yes: a power cut after it must find the mark of a clean stop
     * gone. */
    return journal_head_write(journal->directory, &journal->head, true);
}
