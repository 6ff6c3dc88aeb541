#include "base/name_guess.h"

#include <stdbool.h>
#include <stdlib.h>

/* Places for each bucket; with three names or fewer to four places, nearly every bucket finds its
 * shift. */
enum { BUCKET_PLACES = 4, SHIFTS = UINT8_MAX + 1 };

static const uint32_t NO_NUMBER = UINT32_MAX;

/* The buckets while they are filled: each a list of the numbers in it, ended by NO_NUMBER. */
struct buckets {
    const uint64_t *hashes;
    uint32_t *first; /* of each bucket */
    uint32_t *next;  /* of each number */
    uint32_t *sizes;
    uint32_t largest;
};

static size_t places_for(size_t count)
{
    size_t places = BUCKET_PLACES;

    while (places / 4 * 3 < count)
        places *= 2;
    return places;
}

static int take_memory(struct name_guess *guess, struct buckets *buckets, size_t count)
{
    size_t places = places_for(count);
    size_t bucket_count = places / BUCKET_PLACES;

    guess->place_mask = places - 1;
    guess->bucket_mask = bucket_count - 1;
    guess->numbers = calloc(places, sizeof(uint32_t));
    guess->shifts = calloc(bucket_count, sizeof(uint8_t));
    buckets->first = calloc(bucket_count, sizeof(uint32_t));
    buckets->sizes = calloc(bucket_count, sizeof(uint32_t));
    buckets->next = calloc(count + 1, sizeof(uint32_t));
    return guess->numbers == NULL || guess->shifts == NULL || buckets->first == NULL ||
                   buckets->sizes == NULL || buckets->next == NULL
               ? -1
               : 0;
}

static void fill_buckets(const struct name_guess *guess, struct buckets *buckets, size_t count)
{
    for (size_t i = 0; i <= guess->bucket_mask; i++)
        buckets->first[i] = NO_NUMBER;
    for (size_t i = 0; i < count; i++) {
        size_t bucket = buckets->hashes[i] & guess->bucket_mask;

        buckets->next[i] = buckets->first[bucket];
        buckets->first[bucket] = (uint32_t)i;
        if (++buckets->sizes[bucket] > buckets->largest)
            buckets->largest = buckets->sizes[bucket];
    }
}

/* Gives the names of a bucket, whose first is given, their places. False where one is taken: then
 * those before *stopped_r have theirs. */
static bool place_names(struct name_guess *guess, const struct buckets *buckets, uint32_t first,
                        size_t shift, uint32_t *stopped_r)
{
    for (*stopped_r = first; *stopped_r != NO_NUMBER; *stopped_r = buckets->next[*stopped_r]) {
        size_t place = name_guess_place(guess, buckets->hashes[*stopped_r], shift);

        if (guess->numbers[place] != NO_NUMBER)
            return false;
        guess->numbers[place] = *stopped_r;
    }
    return true;
}

static void take_back(struct name_guess *guess, const struct buckets *buckets, uint32_t first,
                      uint32_t end, size_t shift)
{
    for (uint32_t number = first; number != end; number = buckets->next[number])
        guess->numbers[name_guess_place(guess, buckets->hashes[number], shift)] = NO_NUMBER;
}

/* Where no shift fits, its names have no places. */
static void place_bucket(struct name_guess *guess, const struct buckets *buckets, size_t bucket)
{
    uint32_t first = buckets->first[bucket];
    uint32_t stopped;

    for (size_t shift = 0; shift < SHIFTS; shift++) {
        if (place_names(guess, buckets, first, shift, &stopped)) {
            guess->shifts[bucket] = (uint8_t)shift;
            return;
        }
        take_back(guess, buckets, first, stopped, shift);
    }
}

/* The largest ones first, while there is room. */
static void place_all(struct name_guess *guess, const struct buckets *buckets)
{
    for (size_t i = 0; i <= guess->place_mask; i++)
        guess->numbers[i] = NO_NUMBER;
    for (uint32_t size = buckets->largest; size > 0; size--) {
        for (size_t bucket = 0; bucket <= guess->bucket_mask; bucket++) {
            if (buckets->sizes[bucket] == size)
                place_bucket(guess, buckets, bucket);
        }
    }
    for (size_t i = 0; i <= guess->place_mask; i++) {
        if (guess->numbers[i] == NO_NUMBER)
            guess->numbers[i] = 0;
    }
}

int name_guess_create(struct name_guess *guess, const uint64_t *hashes, size_t count)
{
    struct buckets buckets = {.hashes = hashes};
    int result = -1;

    *guess = (struct name_guess){0};
    if (count <= NAME_GUESS_MAX)
        result = take_memory(guess, &buckets, count);
    if (result == 0) {
        fill_buckets(guess, &buckets, count);
        place_all(guess, &buckets);
    } else {
        name_guess_clear(guess);
    }
    free(buckets.first);
    free(buckets.sizes);
    free(buckets.next);
    return result;
}

void name_guess_clear(struct name_guess *guess)
{
    free(guess->shifts);
    free(guess->numbers);
    *guess = (struct name_guess){0};
}
