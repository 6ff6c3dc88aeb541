/* FNV-1a, 64 bits: tells names apart and damage from data. No defence against an attacker. */
#ifndef BASE_FINGERPRINT_H
#define BASE_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#define FINGERPRINT_SEED UINT64_C(14695981039346656037)

/* The fingerprint of size bytes, going on from seed (FINGERPRINT_SEED, or another fingerprint). */
static inline uint64_t fingerprint(uint64_t seed, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++)
        seed = (seed ^ at[i]) * UINT64_C(1099511628211);
    return seed;
}

#endif
