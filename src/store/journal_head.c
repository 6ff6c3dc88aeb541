#include "store/journal_head.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fingerprint.h"
#include "base/little_endian.h"
#include "store/whole_file.h"

static const char magic[8] = {'x', 'a', 'h', 'e', 'a', 'd', '0', '1'};
static const char name[] = "head";
static const char new_name[] = "head.new";

enum {
    FIXED_SIZE = sizeof(magic) + 8 + BOOT_ID_SIZE + 4 + 8 + 16 + 8,
    CHECKSUM_SIZE = 8,
    HEAD_SIZE_MAX = FIXED_SIZE + CLOSED_STRETCHES_MAX * 16 + CHECKSUM_SIZE
};

enum { FLAG_CLEAN = 1, FLAG_BOOT_ID = 2, FLAG_FLOOR = 4 };

static size_t encode(const struct journal_head *head, uint8_t bytes[HEAD_SIZE_MAX])
{
    uint8_t *at = bytes + sizeof(magic);
    uint32_t flags = (head->is_clean ? FLAG_CLEAN : 0u) | (head->has_boot_id ? FLAG_BOOT_ID : 0u) |
                     (head->floor.active ? FLAG_FLOOR : 0u);

    memcpy(bytes, magic, sizeof(magic));
    at = put_u64(at, head->journal);
    memcpy(at, head->boot_id, BOOT_ID_SIZE);
    at = put_u32(at + BOOT_ID_SIZE, flags);
    at = put_u64(at, head->first_number);
    at = put_u64(at, (uint64_t)head->floor.start_wall_ms);
    at = put_u64(at, (uint64_t)head->floor.start_boot_ms);
    at = put_u64(at, head->closed.count);
    for (size_t i = 0; i < head->closed.count; i++) {
        at = put_u64(at, (uint64_t)head->closed.stretches[i].begin);
        at = put_u64(at, (uint64_t)head->closed.stretches[i].end);
    }
    at = put_u64(at, fingerprint(FINGERPRINT_SEED, bytes, (size_t)(at - bytes)));
    return (size_t)(at - bytes);
}

static const uint8_t *take_stretches(const uint8_t *at, struct closed_time *closed)
{
    for (size_t i = 0; i < closed->count; i++) {
        uint64_t begin, end;

        at = take_u64(at, &begin);
        at = take_u64(at, &end);
        closed->stretches[i] = (struct stretch){(int64_t)begin, (int64_t)end};
    }
    return at;
}

/* The checksum has been looked at: what is left to doubt is the count. */
static int decode(const uint8_t *bytes, size_t size, struct journal_head *head)
{
    const uint8_t *at = bytes + sizeof(magic);
    uint64_t wall_ms, boot_ms, count;
    uint32_t flags;

    at = take_u64(at, &head->journal);
    memcpy(head->boot_id, at, BOOT_ID_SIZE);
    at = take_u32(at + BOOT_ID_SIZE, &flags);
    at = take_u64(at, &head->first_number);
    at = take_u64(at, &wall_ms);
    at = take_u64(at, &boot_ms);
    at = take_u64(at, &count);
    if (count > CLOSED_STRETCHES_MAX || size != FIXED_SIZE + count * 16 + CHECKSUM_SIZE)
        return -1;
    head->closed.count = count;
    take_stretches(at, &head->closed);
    head->is_clean = (flags & FLAG_CLEAN) != 0;
    head->has_boot_id = (flags & FLAG_BOOT_ID) != 0;
    head->floor = (struct start_floor){.active = (flags & FLAG_FLOOR) != 0,
                                       .start_wall_ms = (int64_t)wall_ms,
                                       .start_boot_ms = (int64_t)boot_ms};
    return 0;
}

static bool is_whole(const uint8_t *bytes, size_t size)
{
    uint64_t sum;

    if (size < FIXED_SIZE + CHECKSUM_SIZE || memcmp(bytes, magic, sizeof(magic)) != 0)
        return false;
    take_u64(bytes + size - CHECKSUM_SIZE, &sum);
    return sum == fingerprint(FINGERPRINT_SEED, bytes, size - CHECKSUM_SIZE);
}

int journal_head_read(int directory, struct journal_head *head_r)
{
    uint8_t bytes[HEAD_SIZE_MAX + 1];
    struct journal_head head = {0};
    ssize_t size = whole_file_read(directory, name, bytes, sizeof(bytes));

    if (size < 0)
        return errno == ENOENT ? 1 : -1;
    if (size > HEAD_SIZE_MAX || !is_whole(bytes, (size_t)size) ||
        decode(bytes, (size_t)size, &head) != 0)
        return -1;
    *head_r = head;
    return 0;
}

int journal_head_write(int directory, const struct journal_head *head, bool sync)
{
    uint8_t bytes[HEAD_SIZE_MAX];
    size_t size = encode(head, bytes);

    if (whole_file_write(directory, new_name, bytes, size, sync) != 0 ||
        renameat(directory, new_name, directory, name) != 0)
        return -1;
    return sync ? fsync(directory) : 0;
}
