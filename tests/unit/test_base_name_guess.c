/* Names guessed by their hashes. */
#include "vectors.h"

#include <errno.h>

#include "base/name_guess.h"
#include "base/name_table.h"

#if !SANITIZED
static unsigned calls_left;

void *__libc_calloc(size_t count, size_t size);

/* The call that comes when none is left fails. */
void *calloc(size_t count, size_t size)
{
    if (calls_left > 0 && --calls_left == 0) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}
#endif

enum { COUNT_MAX = 30000 };

/* Of count names as people give them: nearly the same. */
static void hash_names(uint64_t *hashes_r, size_t count, uint64_t seed, const char *before,
                       const char *behind)
{
    const struct name_table table = {.seed = seed};

    for (size_t i = 0; i < count; i++) {
        char name[64];
        int length = snprintf(name, sizeof(name), "%s%zu%s", before, i, behind);

        hashes_r[i] = name_table_hash(&table, name, (size_t)length);
    }
}

static const uint64_t a_seed = UINT64_C(0x1d872b41c5);

static void every_name_that_is_known_is_guessed_right(void **state)
{
    static const struct {
        const char *before, *behind;
    } rows[] = {
        {"h", ".example"},
        {"", ".customers.chat.example.org"},
        {"x", ""},
        {"", ".org"},
        {"example", ".org"},
        {"customer", ".chat"},
        {"shop-", ".de"},
        {"chat.customer", ".com"},
        {"a-long-name-in-front-of-", ".conference.example.net"},
    };
    static const size_t counts[] = {1, 2, 3, 4, 63, 64, 73, 100, 768, 769, 1000, 10000, COUNT_MAX};
    static uint64_t hashes[COUNT_MAX];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows) * LENGTH_OF(counts) * 3; i++) {
        size_t row = i % LENGTH_OF(rows);
        size_t count = counts[i / LENGTH_OF(rows) % LENGTH_OF(counts)];
        struct name_guess guess;
        size_t wrong = 0;

        hash_names(hashes, count, a_seed * (2 * i + 1), rows[row].before, rows[row].behind);
        assert_int_equal(name_guess_create(&guess, hashes, count), 0);
        for (size_t name = 0; name < count; name++)
            wrong += *name_guess_number(&guess, hashes[name]) != name;
        expect(wrong == 0, "%zu of %zu names, %s...%s", wrong, count, rows[row].before,
               rows[row].behind);
        name_guess_clear(&guess);
    }
}

static void any_hash_gives_the_number_of_some_name(void **state)
{
    static uint64_t hashes[COUNT_MAX];
    struct name_guess guess;

    (void)state;
    hash_names(hashes, 1000, a_seed, "h", ".example");
    assert_int_equal(name_guess_create(&guess, hashes, 900), 0);
    for (size_t i = 900; i < 1000; i++)
        expect(*name_guess_number(&guess, hashes[i]) < 900, "name %zu", i);
    for (unsigned bit = 0; bit < 64; bit++)
        expect(*name_guess_number(&guess, UINT64_C(1) << bit) < 900, "bit %u", bit);
    expect(*name_guess_number(&guess, 0) < 900, "zero");
    name_guess_clear(&guess);
}

/* No shift parts names whose hashes are the same, and their bucket has no place: the others do. */
static void names_of_the_same_hash_take_no_others_place(void **state)
{
    static uint64_t hashes[COUNT_MAX];
    struct name_guess guess;
    size_t right = 0;

    (void)state;
    hash_names(hashes, 1000, a_seed, "h", ".example");
    hashes[7] = hashes[500];
    assert_int_equal(name_guess_create(&guess, hashes, 1000), 0);
    for (size_t i = 0; i < 1000; i++) {
        uint32_t number = *name_guess_number(&guess, hashes[i]);

        right += number == i;
        expect(number < 1000, "name %zu", i);
    }
    expect(right >= 1000 - 16 && right <= 1000 - 2, "%zu names are right", right);
    name_guess_clear(&guess);
}

/* They are all in one bucket, which has more names than there are places. */
static void a_bucket_that_no_shift_fits_takes_no_place(void **state)
{
    static uint64_t hashes[1000];
    struct name_guess guess;

    (void)state;
    hash_names(hashes, LENGTH_OF(hashes), a_seed, "h", ".example");
    for (size_t i = 0; i < LENGTH_OF(hashes); i++)
        hashes[i] <<= 16;
    assert_int_equal(name_guess_create(&guess, hashes, LENGTH_OF(hashes)), 0);
    for (size_t i = 0; i < LENGTH_OF(hashes); i++)
        expect(*name_guess_number(&guess, hashes[i]) == 0, "name %zu", i);
    name_guess_clear(&guess);
}

static void more_names_than_can_be_numbered_are_refused(void **state)
{
    static const uint64_t hash = 42;
    struct name_guess guess;

    (void)state;
    assert_int_equal(name_guess_create(&guess, &hash, (size_t)NAME_GUESS_MAX + 1), -1);
    assert_null(guess.numbers);
    assert_null(guess.shifts);
}

static void a_cleared_guess_may_be_cleared_again(void **state)
{
    static const uint64_t hash = 42;
    struct name_guess guess;

    (void)state;
    assert_int_equal(name_guess_create(&guess, &hash, 1), 0);
    for (int i = 0; i < 2; i++) {
        name_guess_clear(&guess);
        assert_null(guess.numbers);
        assert_null(guess.shifts);
    }
}

#if !SANITIZED
static void short_memory_leaves_nothing(void **state)
{
    static const uint64_t hash = 42;
    unsigned refused = 0;

    (void)state;
    for (;; refused++) {
        struct name_guess guess;
        int outcome;

        calls_left = refused + 1;
        outcome = name_guess_create(&guess, &hash, 1);
        if (calls_left > 0 || outcome == 0) {
            calls_left = 0;
            assert_int_equal(outcome, 0);
            name_guess_clear(&guess);
            break;
        }
        assert_null(guess.numbers);
        assert_null(guess.shifts);
    }
    assert_int_equal(refused, 5);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_that_is_known_is_guessed_right),
        cmocka_unit_test(any_hash_gives_the_number_of_some_name),
        cmocka_unit_test(names_of_the_same_hash_take_no_others_place),
        cmocka_unit_test(a_bucket_that_no_shift_fits_takes_no_place),
        cmocka_unit_test(more_names_than_can_be_numbered_are_refused),
        cmocka_unit_test(a_cleared_guess_may_be_cleared_again),
#if !SANITIZED
        cmocka_unit_test(short_memory_leaves_nothing),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
