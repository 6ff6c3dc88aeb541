/*
 * Bytes that nobody may see: kept in OpenSSL's secure heap where there is one, wiped when released,
 * and without a way to print them.
 */
#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed secret is an absent one. */
struct secret {
    uint8_t *bytes;
    size_t size;
};

/* Takes a copy of size bytes (1 or more). Returns 0, or -1 where memory is short (secret_r
 * untouched). */
__attribute__((warn_unused_result)) int secret_set(struct secret *secret_r, const void *bytes,
                                                   size_t size);

/* Wipes and releases; the secret is absent then. */
void secret_clear(struct secret *secret);

/* Whether two secrets are the same bytes; in constant time where their sizes are equal. */
bool secret_equal(const struct secret *one, const struct secret *other);

#endif
