/*
 * A fingerprint of 64 bits: tells names apart and damage from data. No defence against an attacker.
 *
 * FNV-1a's step, taken eight bytes at a time with the high half folded down after each: a record of the journal is
 * fingerprinted for every login. Each step is one-to-one in the bytes taken, so whatever is changed within eight bytes that
 * stand together is always noticed. The same on every machine.
 */
#ifndef BASE_FINGERPRINT_H
#define BASE_FINGERPRINT_H

#include <stddef.h>

#include "base/little_endian.h"

#define FINGERPRINT_SEED UINT64_C(14695981039346656037)

static inline uint64_t fingerprint_step(uint64_t state, uint64_t word)
{
    state = (state ^ word) * UINT64_C(1099511628211);
    return state ^ state >> 32;
}

/* The fingerprint of size bytes, going on from seed (FINGERPRINT_SEED, or another fingerprint). */
static inline uint64_t fingerprint(uint64_t seed, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    uint64_t word;

    for (; size >= 8; size -= 8) {
        at = take_u64(at, &word);
        seed = fingerprint_step(seed, word);
    }
    for (; size > 0; size--)
        seed = fingerprint_step(seed, *at++);
    return seed;
}

#endif
