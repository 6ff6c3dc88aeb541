/*
 * The memory that secrets are kept in: OpenSSL's secure heap, which is locked (it never reaches a
 * swap device), left out of core dumps, and between pages that can't be touched. It belongs to the
 * process and can't grow, so its size is found from the first configuration that is read.
 */
#ifndef CONFIG_SECRET_MEMORY_H
#define CONFIG_SECRET_MEMORY_H

#include "config/source_file.h"

/*
 * Sees to it that the secrets of an opened configuration, and of what it names, have room beside
 * those of the one in use. The first call sets the memory aside, for that configuration and another
 * that is twice as large. Returns 0, or -1 where a later one needs more than is left: that takes a
 * restart.
 */
__attribute__((warn_unused_result)) int secret_memory_reserve(const struct source_file *file);

/* What secrets are kept in. */
enum secret_memory {
    SECRET_MEMORY_ORDINARY, /* none was set aside, or it failed: wiped after use, nothing more */
    SECRET_MEMORY_UNLOCKED, /* it could not be locked */
    SECRET_MEMORY_LOCKED
};

enum secret_memory secret_memory_state(void);

/* Bytes that were set aside; 0: none. */
size_t secret_memory_size(void);

#endif
