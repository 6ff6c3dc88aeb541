/*
 * How many records were ever answered for: a number in a small file of its own, replaced in place
 * at every commit, so that a journal which lost its end is told from one that never had more.
 */
#ifndef STORE_JOURNAL_COUNT_H
#define STORE_JOURNAL_COUNT_H

#include <stdbool.h>
#include <stdint.h>

struct journal_count {
    int directory;    /* borrowed */
    int file;         /* -1: not open yet */
    uint64_t journal; /* whose it is: another journal's count is none */
};

/* Not read, not open. */
void journal_count_init(struct journal_count *count, int directory, uint64_t journal);

/* Reads the number of the record that would come next. False where it is missing or damaged;
 * *next_number_r is untouched then. */
__attribute__((warn_unused_result)) bool journal_count_read(const struct journal_count *count,
                                                            uint64_t *next_number_r);

/* Writes it. 0, or -1 with errno: the file may have either number then. */
__attribute__((warn_unused_result)) int journal_count_write(struct journal_count *count,
                                                            uint64_t next_number);

/* Puts what was written on the disk. 0, or -1 where it can't or nothing was written yet. */
__attribute__((warn_unused_result)) int journal_count_sync(const struct journal_count *count);

/* Closes the file, if it is open. */
void journal_count_close(struct journal_count *count);

#endif
