/*
 * The segment that a journal is writing: a file that grows at its end.
 *
 * Under a heavy load it is given room ahead, zeros in one large write, for the page cache takes many
 * pages at once for a fraction of what it takes for them one by one. The room is never more than
 * half of what is written, and is given back when the load is over. Zeros are no record.
 */
#ifndef STORE_SEGMENT_WRITER_H
#define STORE_SEGMENT_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct segment_writer {
    int file;         /* -1: none */
    off_t size;       /* of header and records */
    off_t room;       /* as far as the file goes: size or more */
    bool was_written; /* since segment_writer_rest() */
};

/* Writes no segment. */
void segment_writer_init(struct segment_writer *writer);

/* Begins a segment with its header, where none is being written. 0, or -1 with errno. */
__attribute__((warn_unused_result)) int segment_writer_begin(struct segment_writer *writer,
                                                             int directory, uint64_t journal,
                                                             uint64_t first_number);

/* Appends bytes in one write. 0, or -1 with errno: part of them may be in the file, to be taken
 * back. */
__attribute__((warn_unused_result)) int segment_writer_append(struct segment_writer *writer,
                                                              const uint8_t *bytes, size_t size);

/* Cuts the file off at a size that it had before. 0, or -1 where that fails: the segment can't be
 * written on. errno stays as it was. */
__attribute__((warn_unused_result)) int segment_writer_take_back(struct segment_writer *writer,
                                                                 off_t size);

/* Gives room back that was not needed since the last call. */
void segment_writer_rest(struct segment_writer *writer);

/* Ends the segment, if there is one: the file is as long as its records. */
void segment_writer_end(struct segment_writer *writer);

#endif
