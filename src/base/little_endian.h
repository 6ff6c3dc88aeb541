/* Whole numbers in files, the same on every machine. */
#ifndef BASE_LITTLE_ENDIAN_H
#define BASE_LITTLE_ENDIAN_H

#include <stdint.h>

static inline uint8_t *put_u64(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> 8 * i);
    return to + 8;
}

static inline uint8_t *put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> 8 * i);
    return to + 4;
}

static inline const uint8_t *take_u64(const uint8_t *from, uint64_t *value_r)
{
    *value_r = 0;
    for (int i = 0; i < 8; i++)
        *value_r |= (uint64_t)from[i] << 8 * i;
    return from + 8;
}

static inline const uint8_t *take_u32(const uint8_t *from, uint32_t *value_r)
{
    *value_r = 0;
    for (int i = 0; i < 4; i++)
        *value_r |= (uint32_t)from[i] << 8 * i;
    return from + 4;
}

#endif
