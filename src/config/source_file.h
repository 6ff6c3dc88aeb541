/*
 * A file of the operator's, read whole, and who else may read or write it. Opened once and judged
 * by its descriptor, so that nothing can be swapped between the look and the read.
 */
#ifndef CONFIG_SOURCE_FILE_H
#define CONFIG_SOURCE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "config/problems.h"

/* Far above any real file, far below what would hurt. */
enum { SOURCE_FILE_MAX = 256 << 20 };

struct source_file {
    const char *path; /* borrowed */
    struct stat status;
    char *text; /* of size bytes, not terminated; wiped by source_file_close() */
    size_t size;
    size_t position;
    int line; /* number of the line given out last, from 1 */
};

/*
 * Reads a regular file; a confidential one must not be writable for anybody but its owner, nor
 * readable for others than owner and group. blame_file and blame_line are where its name stands.
 * Returns 0, or -1 after adding the problem.
 */
__attribute__((warn_unused_result)) int source_file_open(struct source_file *file, const char *path,
                                                         bool confidential,
                                                         struct problems *problems,
                                                         const char *blame_file, int blame_line);

/*
 * The next line without its LF, not terminated, and its length; borrowed until source_file_close().
 * NULL after the last.
 */
const char *source_file_next(struct source_file *file, size_t *length_r);

/* Wipes and frees what was read. */
void source_file_close(struct source_file *file);

#endif
