/*
 * Which of many names that are known beforehand a name is, by its hash alone: a guess, for the name
 * is not compared. It takes two looks at a few bytes a name, and no branch that depends on the name,
 * which the processor would foresee no better than a coin's fall. The hashes are parted into
 * buckets, and each bucket has the shift by which none of its hashes falls on a place that is taken
 * (hash and displace: Pagh, 1999).
 */
#ifndef BASE_NAME_GUESS_H
#define BASE_NAME_GUESS_H

#include <stddef.h>
#include <stdint.h>

enum { NAME_GUESS_MAX = 1 << 30 };

/* A zeroed one guesses nothing: it is to be created first. */
struct name_guess {
    uint8_t *shifts;   /* of each bucket */
    uint32_t *numbers; /* by place; 0 where there is none */
    size_t bucket_mask;
    size_t place_mask;
};

/*
 * Makes the guess for count names, numbered as their hashes are. Returns 0, or -1 where memory is
 * short or there are more than NAME_GUESS_MAX of them: then nothing is to be cleared. Released with
 * name_guess_clear().
 */
__attribute__((warn_unused_result)) int name_guess_create(struct name_guess *guess,
                                                          const uint64_t *hashes, size_t count);

/* Frees, and leaves it zeroed; a zeroed one is allowed. */
void name_guess_clear(struct name_guess *guess);

/* Where a hash stands when its bucket has a shift: two hashes that fall on one place with some
 * shift are parted by another. */
static inline size_t name_guess_place(const struct name_guess *guess, uint64_t hash, size_t shift)
{
    uint64_t shifted = hash ^ shift * UINT64_C(0x9e3779b97f4a7c15);

    return (shifted * UINT64_C(0xbf58476d1ce4e5b9)) >> 32 & guess->place_mask;
}

/*
 * Where the number of the name that has this hash stands; it is asked for, and stays there until
 * the guess is cleared. It is below the count of the names (0 where there are none). For the hash of
 * another name it is any number; and so it is, as good as never, for a name whose bucket found no
 * shift: one of some hundred names that share it, or two of the same hash.
 */
static inline const uint32_t *name_guess_number(const struct name_guess *guess, uint64_t hash)
{
    size_t shift = guess->shifts[hash & guess->bucket_mask];
    const uint32_t *number = &guess->numbers[name_guess_place(guess, hash, shift)];

    __builtin_prefetch(number);
    return number;
}

#endif
