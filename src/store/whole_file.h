/* Small files read and written whole, through interruptions and short counts. */
#ifndef STORE_WHOLE_FILE_H
#define STORE_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Reads at most size bytes of a regular file in the directory. How many there were, or -1 with
 * errno. */
ssize_t whole_file_read(int directory, const char *name, void *bytes, size_t size);

/* Writes a file of size bytes, mode 0600, in the place of any before it; sync: and waits until it
 * is on the disk. 0, or -1 with errno. */
__attribute__((warn_unused_result)) int whole_file_write(int directory, const char *name,
                                                         const void *bytes, size_t size, bool sync);

/* Writes all size bytes at an offset. 0, or -1 with errno (ENOSPC for a count that stays short);
 * part may be written. */
__attribute__((warn_unused_result)) int write_all_at(int descriptor, const void *bytes, size_t size,
                                                     off_t offset);

#endif
