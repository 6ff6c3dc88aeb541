/* A text file that a chat server reads, read whole. */
#ifndef DOCTOR_TEXT_FILE_H
#define DOCTOR_TEXT_FILE_H

#include <stddef.h>

#include "base/arena.h"

/* Far above any real configuration. */
enum { TEXT_FILE_MAX = 4 << 20 };

/*
 * Reads a regular file of at most TEXT_FILE_MAX bytes into an arena; nothing else is opened for
 * longer than a look, and nothing is waited for. Returns its terminated text and its size, or NULL
 * with why_r: static words that go after the file's name, or strerror()'s.
 */
char *text_file_read(struct arena *arena, const char *path, size_t *size_r, const char **why_r);

#endif
