/* A file in memory with a path, for what can only be read from a path. */
#ifndef FUZZ_MEMORY_FILE_H
#define FUZZ_MEMORY_FILE_H

#include <stddef.h>
#include <stdint.h>

/* The path of a file of mode 0600 that holds these bytes; valid until the next call, which writes the same file anew. */
const char *memory_file(const uint8_t *bytes, size_t size);

#endif
