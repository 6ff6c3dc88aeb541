#include "store/journal_record.h"

#include <string.h>

#include "base/fingerprint.h"
#include "base/little_endian.h"

static const char segment_magic[8] = {'x', 'a', 's', 'p', 'e', 'n', 't', '1'};

static uint64_t checksum(uint64_t journal, const uint8_t *bytes, size_t size)
{
    return fingerprint(FINGERPRINT_SEED ^ journal, bytes, size);
}

void journal_record_encode(const struct journal_record *record, uint64_t journal, uint8_t *bytes_r)
{
    uint8_t *at = bytes_r;

    at = put_u64(at, record->number);
    at = put_u64(at, record->id.low);
    at = put_u64(at, record->id.high);
    at = put_u64(at, (uint64_t)record->filing_step);
    at = put_u32(at, record->interval);
    at = put_u32(at, record->window);
    at = put_u64(at, (uint64_t)record->over_boot_ms);
    put_u64(at, checksum(journal, bytes_r, (size_t)(at - bytes_r)));
}

int journal_record_decode(const uint8_t *bytes, uint64_t journal, struct journal_record *record_r)
{
    struct journal_record record;
    const uint8_t *at = bytes;
    uint64_t filing_step, over_boot_ms, sum;

    at = take_u64(at, &record.number);
    at = take_u64(at, &record.id.low);
    at = take_u64(at, &record.id.high);
    at = take_u64(at, &filing_step);
    at = take_u32(at, &record.interval);
    at = take_u32(at, &record.window);
    at = take_u64(at, &over_boot_ms);
    take_u64(at, &sum);
    if (sum != checksum(journal, bytes, (size_t)(at - bytes)) || record.interval == 0)
        return -1;
    record.filing_step = (int64_t)filing_step;
    record.over_boot_ms = (int64_t)over_boot_ms;
    *record_r = record;
    return 0;
}

void journal_segment_encode(uint64_t first_number, uint64_t journal, uint8_t *bytes_r)
{
    uint8_t *at = bytes_r + sizeof(segment_magic);

    memcpy(bytes_r, segment_magic, sizeof(segment_magic));
    at = put_u64(at, journal);
    at = put_u64(at, first_number);
    put_u64(at, checksum(journal, bytes_r, (size_t)(at - bytes_r)));
}

int journal_segment_decode(const uint8_t *bytes, uint64_t journal, uint64_t *first_number_r)
{
    const uint8_t *at = bytes + sizeof(segment_magic);
    uint64_t owner, first_number, sum;

    at = take_u64(at, &owner);
    at = take_u64(at, &first_number);
    take_u64(at, &sum);
    if (memcmp(bytes, segment_magic, sizeof(segment_magic)) != 0 || owner != journal ||
        sum != checksum(journal, bytes, (size_t)(at - bytes)))
        return -1;
    *first_number_r = first_number;
    return 0;
}
