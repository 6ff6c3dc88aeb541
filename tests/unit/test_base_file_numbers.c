/* What stands in files: numbers the same on every machine, fingerprints, the boot's name. */
#include "vectors.h"

#include <ctype.h>

#include "base/boot_id.h"
#include "base/fingerprint.h"
#include "base/little_endian.h"

static void numbers_are_written_with_the_lowest_byte_first(void **state)
{
    static const uint8_t expected[13] = {0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23,
                                         0x01, 0x78, 0x56, 0x34, 0x92, 0xee};
    uint8_t bytes[13] = {0};
    uint8_t *end;

    (void)state;
    bytes[12] = 0xee;
    end = put_u32(put_u64(bytes, UINT64_C(0x0123456789abcdef)), UINT32_C(0x92345678));
    assert_ptr_equal(end, bytes + 12);
    assert_memory_equal(bytes, expected, sizeof(bytes));
}

static void every_number_is_read_back(void **state)
{
    uint64_t random = 41;

    (void)state;
    for (int round = 0; round < 1000; round++) {
        uint64_t wide = random_next(&random) >> random_below(&random, 64), wide_again = 1;
        uint32_t narrow = (uint32_t)random_next(&random) >> random_below(&random, 32);
        uint32_t narrow_again = 1;
        uint8_t bytes[12];
        const uint8_t *end;

        put_u64(put_u32(bytes, narrow), wide);
        end = take_u64(take_u32(bytes, &narrow_again), &wide_again);
        expect(end == bytes + 12 && wide == wide_again && narrow == narrow_again, "round %d",
               round);
    }
}

static void a_fingerprint_notices_every_changed_bit_and_length(void **state)
{
    uint8_t bytes[56];
    uint64_t whole;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        whole = fingerprint(FINGERPRINT_SEED, bytes, size);
        for (size_t bit = 0; bit < size * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            expect(fingerprint(FINGERPRINT_SEED, bytes, size) != whole, "size %zu, bit %zu", size,
                   bit);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t other = 0; other < size; other++)
            expect(fingerprint(FINGERPRINT_SEED, bytes, other) != whole, "sizes %zu and %zu", size,
                   other);
    }
}

/* It stands in files: a new version must still read what an old one wrote. */
static void a_fingerprint_is_the_same_everywhere_and_for_ever(void **state)
{
    (void)state;
    assert_int_equal(fingerprint(FINGERPRINT_SEED, "", 0), FINGERPRINT_SEED);
    assert_int_equal(fingerprint(FINGERPRINT_SEED, "12345678abc", 11),
                     UINT64_C(6883257895274438072));
    assert_int_equal(fingerprint(fingerprint(FINGERPRINT_SEED, "12345678", 8), "abc", 3),
                     UINT64_C(6883257895274438072));
}

static void the_boot_has_one_name(void **state)
{
    char first[BOOT_ID_SIZE], second[BOOT_ID_SIZE];

    (void)state;
    /* A machine may hide it; then it must say so every time. */
    if (!boot_id_read(first)) {
        assert_false(boot_id_read(second));
        return;
    }
    assert_true(boot_id_read(second));
    assert_memory_equal(first, second, BOOT_ID_SIZE);
    for (size_t i = 0; i < BOOT_ID_SIZE; i++)
        expect(isxdigit((unsigned char)first[i]) || first[i] == '-', "byte %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_written_with_the_lowest_byte_first),
        cmocka_unit_test(every_number_is_read_back),
        cmocka_unit_test(a_fingerprint_notices_every_changed_bit_and_length),
        cmocka_unit_test(a_fingerprint_is_the_same_everywhere_and_for_ever),
        cmocka_unit_test(the_boot_has_one_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
