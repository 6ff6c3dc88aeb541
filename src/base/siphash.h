/*
 * A keyed hash of 64 bits: who does not know the key can't aim at a collision. It is SipHash-1-3, with
 * half the rounds of SipHash-2-4, the variant for tables, whose hashes nobody sees.
 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_KEY_SIZE = 16 };

/* The hash of size bytes under a key of random bytes. */
uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], const void *bytes, size_t size);

#endif
