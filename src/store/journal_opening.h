/*
 * How a journal is found at a start: read as far as it is whole, and judged whether it lacks
 * anything. The journal's own part, shared by the files that make it up.
 */
#ifndef STORE_JOURNAL_OPENING_H
#define STORE_JOURNAL_OPENING_H

#include "store/journal.h"
#include "store/journal_count.h"
#include "store/journal_segments.h"
#include "store/segment_writer.h"
#include "store/syncer.h"

/* Records that wait for the commit. */
struct journal_turn {
    uint8_t *bytes; /* encoded */
    size_t room;    /* bytes allocated */
    size_t count;
    struct stretch steps; /* from the first to the last of their steps */
};

struct journal {
    int directory;
    struct journal_head head;
    struct journal_count count;
    struct segment *segments;     /* the oldest first; the last may be the one being written */
    struct segment *current;      /* NULL: the next record begins a new one */
    struct segment_writer writer; /* of the current one */
    uint64_t next_number;
    struct journal_turn turn;
    bool head_is_stale; /* it could not be written, or says less than is known */
    struct syncer syncer;
};

struct opening {
    struct moment now;
    journal_loader *load;
    void *context;
    bool same_boot;         /* found out here */
    const char *incomplete; /* likewise: NULL, or why */
};

/* Reads what is in the journal's directory, loads it, and makes head and count say that it is this
 * boot's and no longer clean. 0, or -1 with errno. */
__attribute__((warn_unused_result)) int journal_begin(struct journal *journal,
                                                      struct opening *opening);

#endif
