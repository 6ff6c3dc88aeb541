/* Values found by name. */
#include "vectors.h"

#include <errno.h>

#include "base/name_table.h"

#if !SANITIZED
static bool memory_is_short;

void *__libc_calloc(size_t count, size_t size);

void *calloc(size_t count, size_t size)
{
    if (memory_is_short) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_calloc(count, size);
}
#endif

static void an_empty_table_holds_nothing(void **state)
{
    struct name_table table = {0};

    (void)state;
    assert_null(name_table_find(&table, "", 0));
    assert_null(name_table_find(&table, "example.org", 11));
    name_table_clear(&table);
}

static void every_name_finds_its_own_value_however_many_there_are(void **state)
{
    enum { COUNT = 20000 };
    static char names[COUNT][16];
    struct name_table table = {0};

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        int length = snprintf(names[i], sizeof(names[i]), "host%zu.test", i);

        assert_int_equal(name_table_add(&table, names[i], (size_t)length, names[i]), 0);
        /* Names that are there already survive each growth. */
        expect(name_table_find(&table, names[i / 2], strlen(names[i / 2])) == names[i / 2],
               "name %zu of %zu", i / 2, i);
    }
    assert_int_equal(table.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        size_t length = strlen(names[i]);
        char *name = exact_copy(names[i], length);

        expect(name_table_find(&table, name, length) == names[i], "name %zu", i);
        expect(name_table_find(&table, name, length - 1) == NULL, "name %zu, cut", i);
        name[0] = 'H';
        expect(name_table_find(&table, name, length) == NULL, "name %zu, another case", i);
        free(name);
    }
    name_table_clear(&table);
}

static void names_are_any_bytes_compared_exactly(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } names[] = {{"", 0},    {"\0", 1},           {"\0\0", 2},         {"a", 1},
                 {"a\0", 2}, {"a\0b", 3},         {"a\0c", 3},         {"\xff\xfe", 2},
                 {"*", 1},   {"example.org", 11}, {"example.org.", 12}};
    struct name_table table = {0};
    int values[LENGTH_OF(names)];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(names); i++)
        assert_int_equal(name_table_add(&table, names[i].bytes, names[i].length, &values[i]), 0);
    for (size_t i = 0; i < LENGTH_OF(names); i++)
        expect(name_table_find(&table, names[i].bytes, names[i].length) == &values[i], "name %zu",
               i);
    assert_null(name_table_find(&table, "b", 1));
    name_table_clear(&table);
}

static void a_cleared_table_is_empty_and_can_be_filled_again(void **state)
{
    struct name_table table = {0};
    int value;

    (void)state;
    for (int round = 0; round < 3; round++) {
        assert_null(name_table_find(&table, "name", 4));
        assert_int_equal(name_table_add(&table, "name", 4, &value), 0);
        assert_ptr_equal(name_table_find(&table, "name", 4), &value);
        name_table_clear(&table);
        assert_int_equal(table.count, 0);
    }
}

static void a_hash_tells_names_apart_by_each_of_their_bytes_and_their_length(void **state)
{
    enum { LENGTH_MAX = 40 };
    struct name_table table = {0};

    (void)state;
    assert_int_equal(name_table_add(&table, "name", 4, &table), 0);
    for (size_t length = 1; length <= LENGTH_MAX; length++) {
        char text[LENGTH_MAX + 1] = {0}; /* NUL is a byte like any other */
        char *name = exact_copy(text, length);
        uint64_t hash = name_table_hash(&table, name, length);

        for (size_t i = 0; i < length; i++) {
            name[i] = 1;
            expect(name_table_hash(&table, name, length) != hash, "byte %zu of %zu", i, length);
            name[i] = 0;
        }
        expect(name_table_hash(&table, text, length + 1) != hash, "%zu bytes and one more", length);
        free(name);
    }
    name_table_clear(&table);
}

/* Places are taken from a hash's lower bits: for names that differ in a few bytes only, wherever these
 * stand, no more of them may share one than chance would have it. */
static void names_that_are_nearly_the_same_are_spread_over_all_places(void **state)
{
    static const struct {
        const char *before, *behind;
    } rows[] = {
        {"h", ".example"},    {"", ".org"},       {"example", ".org"},   {"customer", ".chat"},
        {"shop-", ".de"},     {"chat.c", ".com"}, {"u", "@example.org"}, {"id-", ".net"},
        {"a.long.name.", ""}, {"x", ""}};
    enum { COUNT = 10000, PLACES = 16384 };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows) * 8; i++) {
        const struct name_table table = {.seed = UINT64_C(0x2545f4914f6cdd1d) * (i + 1)};
        static uint8_t shared[PLACES];
        unsigned most = 0;

        memset(shared, 0, sizeof(shared));
        for (size_t number = 0; number < COUNT; number++) {
            size_t row = i % LENGTH_OF(rows);
            char name[48];
            int length =
                snprintf(name, sizeof(name), "%s%zu%s", rows[row].before, number, rows[row].behind);
            size_t place = name_table_hash(&table, name, (size_t)length) % PLACES;

            if (shared[place] < UINT8_MAX && ++shared[place] > most)
                most = shared[place];
        }
        expect(most <= 16, "%u names share a place, %s...%s", most,
               rows[i % LENGTH_OF(rows)].before, rows[i % LENGTH_OF(rows)].behind);
    }
}

#if !SANITIZED
static void short_memory_leaves_the_table_as_it_was(void **state)
{
    enum { COUNT = 100 };
    static char names[COUNT][8];
    struct name_table table = {0};
    size_t refused = 0;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        int length = snprintf(names[i], sizeof(names[i]), "n%zu", i);
        int outcome;

        memory_is_short = true;
        outcome = name_table_add(&table, names[i], (size_t)length, names[i]);
        memory_is_short = false;
        if (outcome != 0) {
            refused++;
            expect(table.count == i, "name %zu is counted though refused", i);
            expect(name_table_find(&table, names[i], (size_t)length) == NULL, "name %zu", i);
            assert_int_equal(name_table_add(&table, names[i], (size_t)length, names[i]), 0);
        }
        for (size_t j = 0; j <= i; j++)
            expect(name_table_find(&table, names[j], strlen(names[j])) == names[j],
                   "name %zu after %zu", j, i);
    }
    assert_true(refused >= 5);
    name_table_clear(&table);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_holds_nothing),
        cmocka_unit_test(every_name_finds_its_own_value_however_many_there_are),
        cmocka_unit_test(names_are_any_bytes_compared_exactly),
        cmocka_unit_test(a_hash_tells_names_apart_by_each_of_their_bytes_and_their_length),
        cmocka_unit_test(names_that_are_nearly_the_same_are_spread_over_all_places),
        cmocka_unit_test(a_cleared_table_is_empty_and_can_be_filled_again),
#if !SANITIZED
        cmocka_unit_test(short_memory_leaves_the_table_as_it_was),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
