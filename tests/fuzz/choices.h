/* A fuzzer's input as a row of choices: each takes bytes from the front; when they are used up, all choices are 0. */
#ifndef FUZZ_CHOICES_H
#define FUZZ_CHOICES_H

#include <stddef.h>
#include <stdint.h>

struct choices {
    const uint8_t *bytes;
    size_t size;
};

static inline uint8_t choose_byte(struct choices *choices)
{
    if (choices->size == 0)
        return 0;
    choices->size--;
    return *choices->bytes++;
}

/* 0 to bound - 1; bound from 1 to 65536. */
static inline size_t choose(struct choices *choices, size_t bound)
{
    size_t value = choose_byte(choices);

    if (bound > 256)
        value = value << 8 | choose_byte(choices);
    return value % bound;
}

/* At most wanted bytes from the front, borrowed; how many there were. */
static inline size_t choose_bytes(struct choices *choices, size_t wanted, const uint8_t **bytes_r)
{
    size_t taken = wanted < choices->size ? wanted : choices->size;

    *bytes_r = choices->bytes;
    choices->bytes += taken;
    choices->size -= taken;
    return taken;
}

#endif
