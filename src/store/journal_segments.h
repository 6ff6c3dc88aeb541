/* The segment files of a journal: found, read, begun, appended to, removed. */
#ifndef STORE_JOURNAL_SEGMENTS_H
#define STORE_JOURNAL_SEGMENTS_H

#include "store/journal.h"

/* The time of the step that a record is filed under. */
static inline struct stretch journal_record_step(const struct journal_record *record)
{
    int64_t begin = record->filing_step * record->interval;

    return (struct stretch){begin, begin + record->interval};
}

struct segment {
    struct segment *next;
    uint64_t first_number;
    uint64_t end_number;   /* of the record that would come next */
    struct stretch steps;  /* from the first to the last step of its records */
    int64_t begun_boot_ms; /* of the one being written */
};

/* The segments found in a directory by name, in order of their first number, without content. NULL:
 * none, or (*failed_r) the directory can't be read or memory is short. */
struct segment *segments_find(int directory, bool *failed_r);

/*
 * Reads a segment's records from the front as long as they are whole and consecutive, notes how far
 * they go, and hands them to load. false where the file is not a segment of this journal at all.
 */
bool segment_read(int directory, uint64_t journal, struct segment *segment, bool same_boot,
                  journal_loader *load, void *context);

/* Creates a segment's file with its header; its descriptor, or -1 with errno. */
int segment_create(int directory, uint64_t journal, uint64_t first_number);

/* Notes that count records of some steps, 1 at the least, stand at the segment's end. */
void segment_note(struct segment *segment, struct stretch steps, uint64_t count);

/* Whether the segment has no records. */
bool segment_is_empty(const struct segment *segment);

/* Puts the file on the disk. 0, or -1. */
__attribute__((warn_unused_result)) int segment_sync(int directory, const struct segment *segment);

/* Removes the file. */
void segment_unlink(int directory, const struct segment *segment);

#endif
