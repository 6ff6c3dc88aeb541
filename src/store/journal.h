/*
 * The journal: a directory of append-only segments, one for each time step in which tokens were
 * spent, numbered through, that hold the record of spent tokens; a head (journal_head.h); and the
 * count of records ever written.
 *
 *     head          replaced whole; see journal_head.h
 *     count         how many records were ever answered for: a shorter journal is a damaged one
 *     spent-NUMBER  a header and the records from NUMBER on
 *
 * What write() has put into the page cache outlives the process, not a power cut: so a journal
 * counts as whole on the boot it was written on, or where it was closed in order and synced.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "store/journal_head.h"
#include "store/journal_record.h"
#include "store/replay_index.h"

struct journal;

/* Is handed each record found when a journal is opened. */
typedef void journal_loader(void *context, const struct journal_record *record, bool same_boot);

/*
 * Opens the journal in a directory, or begins one, and hands what is on record to load. The head is
 * on the disk as belonging to this boot, and no longer clean, when this returns. *incomplete_r:
 * NULL, or why the record may lack tokens spent before (static words). *head_r, borrowed from the
 * journal, is what it knows of closed time and of earlier starts. NULL with errno where the
 * directory can't be written or memory is short. The directory's descriptor is borrowed and must
 * outlive it.
 */
struct journal *journal_open(int directory, struct moment now, journal_loader *load, void *context,
                             const char **incomplete_r, const struct journal_head **head_r);

/* Takes a record (its number is given here) for the next commit. 0, or -1 with errno where memory is
 * short: what was added before is dropped too. */
__attribute__((warn_unused_result)) int journal_add(struct journal *journal,
                                                    struct journal_record *record);

/*
 * Appends what was added since the last commit, one record at the least, in one write, then counts
 * it. 0, or -1 with errno: none of it is on record, though some may be found by the next start.
 * Either way it is not added any more.
 */
__attribute__((warn_unused_result)) int journal_commit(struct journal *journal, struct moment now);

/*
 * Takes down what is closed and what the floor is, if either changed (closed_changed), and lets go
 * of segments that have nothing left in the index: their files go when the head that says so, and
 * that says which steps are closed instead, is on the disk.
 */
void journal_tick(struct journal *journal, const struct replay_index *index, bool closed_changed,
                  const struct start_floor *floor);

/* Syncs everything, marks the journal clean, frees it and sets *journal to NULL; NULL is allowed.
 */
void journal_close(struct journal **journal, const struct closed_time *closed,
                   const struct start_floor *floor);

#endif
