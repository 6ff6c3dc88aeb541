/*
 * A spent token as it stands in the journal: pure bytes, stored little-endian. The records of a
 * journal are numbered through, and a segment's header has the number of its first. A record's
 * checksum begins with its journal's own number and the record's: so what belongs to another
 * journal, or to another place in this one, is no record there.
 */
#ifndef STORE_JOURNAL_RECORD_H
#define STORE_JOURNAL_RECORD_H

#include "store/signature_id.h"

enum { JOURNAL_RECORD_SIZE = 40, JOURNAL_SEGMENT_HEADER_SIZE = 32 };

struct journal_record {
    uint64_t number; /* consecutive over the whole journal */
    struct signature_id id;
    int64_t filing_step;  /* in 40 bits */
    uint32_t interval;    /* in 12 bits */
    uint32_t timeline;    /* in 2 bits */
    uint32_t window;      /* in 10 bits; for which it is kept */
    int64_t over_boot_ms; /* when its window is over by the boot clock of its time */
};

/* Writes JOURNAL_RECORD_SIZE bytes. */
void journal_record_encode(const struct journal_record *record, uint64_t journal, uint8_t *bytes_r);

/* Reads them as the record with that number. 0, or -1 where they are not that record of this
 * journal; record_r is untouched then. */
__attribute__((warn_unused_result)) int journal_record_decode(const uint8_t *bytes,
                                                              uint64_t journal, uint64_t number,
                                                              struct journal_record *record_r);

/* What a segment begins with: the number of its first record. Likewise. */
void journal_segment_encode(uint64_t first_number, uint64_t journal, uint8_t *bytes_r);
__attribute__((warn_unused_result)) int
journal_segment_decode(const uint8_t *bytes, uint64_t journal, uint64_t *first_number_r);

#endif
