/*
 * A spent token as it stands in the journal: pure bytes. Numbers are stored little-endian; every
 * record ends in a checksum that begins with its journal's own number, so that a record of another
 * journal is no record here.
 */
#ifndef STORE_JOURNAL_RECORD_H
#define STORE_JOURNAL_RECORD_H

#include "store/signature_set.h"

enum { JOURNAL_RECORD_SIZE = 56, JOURNAL_SEGMENT_HEADER_SIZE = 32 };

struct journal_record {
    uint64_t number; /* consecutive over the whole journal */
    struct signature_id id;
    int64_t filing_step;
    uint32_t interval;
    uint32_t window;
    int64_t over_boot_ms; /* when its window is over by the boot clock of its time */
};

/* Writes or reads JOURNAL_RECORD_SIZE bytes. Reading: 0, or -1 where they are no record of this
 * journal. */
void journal_record_encode(const struct journal_record *record, uint64_t journal, uint8_t *bytes_r);
__attribute__((warn_unused_result)) int
journal_record_decode(const uint8_t *bytes, uint64_t journal, struct journal_record *record_r);

/* The same for what a segment begins with: the number of its first record. */
void journal_segment_encode(uint64_t first_number, uint64_t journal, uint8_t *bytes_r);
__attribute__((warn_unused_result)) int
journal_segment_decode(const uint8_t *bytes, uint64_t journal, uint64_t *first_number_r);

#endif
