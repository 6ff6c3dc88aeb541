#include "store/segment_writer.h"

#include <errno.h>
#include <unistd.h>

#include "store/journal_record.h"
#include "store/journal_segments.h"
#include "store/whole_file.h"

enum {
    PAGE = 4096,
    ROOM_MIN = 64 * 1024, /* less is not worth a write of its own */
    ROOM_MAX = 256 * 1024
};

void segment_writer_init(struct segment_writer *writer)
{
    *writer = (struct segment_writer){.file = -1};
}

int segment_writer_begin(struct segment_writer *writer, int directory, uint64_t journal,
                         uint64_t first_number)
{
    int file = segment_create(directory, journal, first_number);

    if (file < 0)
        return -1;
    *writer = (struct segment_writer){
        .file = file, .size = JOURNAL_SEGMENT_HEADER_SIZE, .room = JOURNAL_SEGMENT_HEADER_SIZE};
    return 0;
}

static void cut_off(struct segment_writer *writer)
{
    if (writer->room > writer->size && ftruncate(writer->file, writer->size) == 0)
        writer->room = writer->size;
}

/* Where there is no space for it, what little was had is given back: the records need it. */
static void make_room(struct segment_writer *writer)
{
    static uint8_t zeros[ROOM_MAX]; /* never written: takes no memory */
    off_t size = writer->size / 2 < ROOM_MAX ? writer->size / 2 : ROOM_MAX;
    off_t end = (writer->size + size) / PAGE * PAGE;

    if (size < ROOM_MIN)
        return;
    writer->room = end;
    if (write_all_at(writer->file, zeros, (size_t)(end - writer->size), writer->size) != 0)
        cut_off(writer);
}

int segment_writer_append(struct segment_writer *writer, const uint8_t *bytes, size_t size)
{
    off_t end = writer->size + (off_t)size;

    if (size >= PAGE && end > writer->room)
        make_room(writer);
    writer->was_written = true;
    if (end > writer->room)
        writer->room = end;
    if (write_all_at(writer->file, bytes, size, writer->size) != 0)
        return -1;
    writer->size = end;
    return 0;
}

int segment_writer_take_back(struct segment_writer *writer, off_t size)
{
    int error = errno;
    int result = ftruncate(writer->file, size);

    if (result == 0)
        writer->size = writer->room = size;
    errno = error;
    return result;
}

void segment_writer_rest(struct segment_writer *writer)
{
    if (!writer->was_written)
        cut_off(writer);
    writer->was_written = false;
}

void segment_writer_end(struct segment_writer *writer)
{
    if (writer->file < 0)
        return;
    cut_off(writer);
    close(writer->file);
    segment_writer_init(writer);
}
