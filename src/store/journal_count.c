#include "store/journal_count.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fingerprint.h"
#include "base/little_endian.h"
#include "store/whole_file.h"

enum { COUNT_SIZE = 16 };

static const char name[] = "count";

void journal_count_init(struct journal_count *count, int directory, uint64_t journal)
{
    *count = (struct journal_count){.directory = directory, .file = -1, .journal = journal};
}

static void encode(const struct journal_count *count, uint64_t next_number,
                   uint8_t bytes[COUNT_SIZE])
{
    uint8_t *checksum = put_u64(bytes, next_number);

    put_u64(checksum, fingerprint(FINGERPRINT_SEED ^ count->journal, bytes, 8));
}

bool journal_count_read(const struct journal_count *count, uint64_t *next_number_r)
{
    uint8_t bytes[COUNT_SIZE], expected[COUNT_SIZE];
    uint64_t next_number;

    if (whole_file_read(count->directory, name, bytes, sizeof(bytes)) != COUNT_SIZE)
        return false;
    take_u64(bytes, &next_number);
    encode(count, next_number, expected);
    if (memcmp(bytes, expected, sizeof(bytes)) != 0)
        return false;
    *next_number_r = next_number;
    return true;
}

int journal_count_write(struct journal_count *count, uint64_t next_number)
{
    uint8_t bytes[COUNT_SIZE];

    if (count->file < 0)
        count->file =
            openat(count->directory, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (count->file < 0)
        return -1;
    encode(count, next_number, bytes);
    return write_all_at(count->file, bytes, sizeof(bytes), 0);
}

int journal_count_sync(const struct journal_count *count)
{
    return count->file < 0 ? -1 : fsync(count->file);
}

void journal_count_close(struct journal_count *count)
{
    if (count->file >= 0)
        close(count->file);
    count->file = -1;
}
