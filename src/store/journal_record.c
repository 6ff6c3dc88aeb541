#include "store/journal_record.h"

#include <string.h>

#include "base/fingerprint.h"
#include "base/little_endian.h"

static const char segment_magic[8] = {'x', 'a', 's', 'p', 'e', 'n', 't', '2'};

/* Step, timeline, interval and window share eight bytes: a record is written for every login. */
enum { WINDOW_BITS = 10, INTERVAL_BITS = 12, TIMELINE_BITS = 2 };

static uint64_t checksum(uint64_t journal, const uint8_t *bytes, size_t size)
{
    return fingerprint(FINGERPRINT_SEED ^ journal, bytes, size);
}

static uint64_t record_checksum(uint64_t journal, uint64_t number, const uint8_t *bytes)
{
    return fingerprint(fingerprint_step(FINGERPRINT_SEED ^ journal, number), bytes,
                       JOURNAL_RECORD_SIZE - 8);
}

static uint64_t pack(const struct journal_record *record)
{
    uint64_t packed = (uint64_t)record->filing_step << TIMELINE_BITS | record->timeline;

    return (packed << INTERVAL_BITS | record->interval) << WINDOW_BITS | record->window;
}

static void unpack(uint64_t packed, struct journal_record *record)
{
    const uint64_t sign = UINT64_C(1) << (63 - TIMELINE_BITS - INTERVAL_BITS - WINDOW_BITS);

    record->window = (uint32_t)(packed & ((1u << WINDOW_BITS) - 1));
    packed >>= WINDOW_BITS;
    record->interval = (uint32_t)(packed & ((1u << INTERVAL_BITS) - 1));
    packed >>= INTERVAL_BITS;
    record->timeline = (uint32_t)(packed & ((1u << TIMELINE_BITS) - 1));
    packed >>= TIMELINE_BITS;
    /* The step's sign is the highest of its 40 bits. */
    record->filing_step = (int64_t)((packed ^ sign) - sign);
}

void journal_record_encode(const struct journal_record *record, uint64_t journal, uint8_t *bytes_r)
{
    uint8_t *at = bytes_r;

    at = put_u64(at, record->id.low);
    at = put_u64(at, record->id.high);
    at = put_u64(at, pack(record));
    at = put_u64(at, (uint64_t)record->over_boot_ms);
    put_u64(at, record_checksum(journal, record->number, bytes_r));
}

int journal_record_decode(const uint8_t *bytes, uint64_t journal, uint64_t number,
                          struct journal_record *record_r)
{
    struct journal_record record = {.number = number};
    const uint8_t *at = bytes;
    uint64_t packed, over_boot_ms, sum;

    at = take_u64(at, &record.id.low);
    at = take_u64(at, &record.id.high);
    at = take_u64(at, &packed);
    at = take_u64(at, &over_boot_ms);
    take_u64(at, &sum);
    unpack(packed, &record);
    if (sum != record_checksum(journal, number, bytes) || record.interval == 0)
        return -1;
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
