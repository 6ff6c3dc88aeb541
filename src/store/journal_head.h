/*
 * What a journal knows of itself, in one small file that is replaced whole: which boot it is of,
 * whether it was closed in order, from which record on it counts, which time is closed for good,
 * and up to when it can't vouch for tokens.
 */
#ifndef STORE_JOURNAL_HEAD_H
#define STORE_JOURNAL_HEAD_H

#include "base/boot_id.h"
#include "store/closed_time.h"
#include "store/start_floor.h"

struct journal_head {
    uint64_t journal; /* its own random number */
    bool has_boot_id;
    char boot_id[BOOT_ID_SIZE];
    bool is_clean;         /* closed in order and synced: the record is whole whatever the boot */
    uint64_t first_number; /* records before this one are done with */
    struct start_floor floor;
    struct closed_time closed;
};

/*
 * Reads the head from the directory. Returns 0; 1 where there is none; -1 where it can't be read or
 * is damaged. head_r is filled only with 0.
 */
__attribute__((warn_unused_result)) int journal_head_read(int directory,
                                                          struct journal_head *head_r);

/* Replaces the head in the directory: after a crash the old one or the new one is there. sync: it
 * is on the disk when this returns. 0, or -1 with errno (the old one is still there). */
__attribute__((warn_unused_result)) int
journal_head_write(int directory, const struct journal_head *head, bool sync);

#endif
