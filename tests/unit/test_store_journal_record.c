/* The bytes of a spent token: they say all of it, and nothing where a single bit is wrong. */
#include "vectors.h"

#include "store/journal_record.h"

static const uint64_t journal = UINT64_C(0x0123456789abcdef);

static struct journal_record any_record(uint64_t *random)
{
    return (struct journal_record){
        .number = random_next(random),
        .id = {.low = random_next(random), .high = random_next(random)},
        .filing_step = (int64_t)random_below(random, 1u << 31) - (1 << 30),
        .interval = 1 + (uint32_t)random_below(random, 900),
        .window = (uint32_t)random_below(random, 11),
        .timeline = (uint32_t)random_below(random, 4),
        .over_boot_ms = (int64_t)random_next(random),
    };
}

static bool same(const struct journal_record *one, const struct journal_record *other)
{
    return one->number == other->number && one->id.low == other->id.low &&
           one->id.high == other->id.high && one->filing_step == other->filing_step &&
           one->interval == other->interval && one->window == other->window &&
           one->timeline == other->timeline && one->over_boot_ms == other->over_boot_ms;
}

static void a_record_comes_back_as_it_was(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        struct journal_record record = any_record(&random);
        struct journal_record read = {0};
        uint8_t bytes[JOURNAL_RECORD_SIZE];

        journal_record_encode(&record, journal, bytes);
        expect(journal_record_decode(bytes, journal, record.number, &read) == 0, "record %d", i);
        expect(same(&record, &read), "record %d", i);
    }
}

/* The widest that settings allow, at the ends of the time that a clock can show. */
static void extreme_records_come_back_as_they_were(void **state)
{
    static const struct journal_record rows[] = {
        {.number = UINT64_MAX,
         .filing_step = (INT64_C(1) << 39) - 1,
         .interval = 4095,
         .timeline = 3,
         .window = 1023},
        {.number = 0, .filing_step = -(INT64_C(1) << 39), .interval = 1, .window = 0},
        {.number = 1, .filing_step = -1, .interval = 900, .window = 10, .over_boot_ms = INT64_MIN},
        {.number = 1, .filing_step = 0, .interval = 900, .window = 10, .over_boot_ms = INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct journal_record read = {0};
        uint8_t bytes[JOURNAL_RECORD_SIZE];

        journal_record_encode(&rows[i], journal, bytes);
        expect(journal_record_decode(bytes, journal, rows[i].number, &read) == 0, "row %zu", i);
        expect(same(&rows[i], &read), "row %zu", i);
    }
}

static void a_record_takes_at_most_64_bytes(void **state)
{
    (void)state;
    assert_in_range(JOURNAL_RECORD_SIZE, 1, 64);
}

/* The layout is what the next version reads. */
static void the_bytes_are_little_endian_and_in_order(void **state)
{
    struct journal_record record = {.number = 1,
                                    .id = {.low = 2, .high = UINT64_C(0x0300000000000000)},
                                    .filing_step = -1,
                                    .interval = 30,
                                    .timeline = 1,
                                    .window = 0x0a,
                                    .over_boot_ms = 0x0b0c};
    uint8_t expected[32], bytes[JOURNAL_RECORD_SIZE];

    (void)state;
    from_hex("0200000000000000"
             "0000000000000003"
             "0a7840ffffffffff"
             "0c0b000000000000",
             expected);
    journal_record_encode(&record, journal, bytes);
    assert_memory_equal(bytes, expected, sizeof(expected));
}

/* What a daemon of an earlier version left behind: record and header to the last bit. */
static void what_was_written_once_is_read_for_ever(void **state)
{
    static const struct journal_record record = {.number = 77,
                                                 .id = {.low = 2, .high = 3},
                                                 .filing_step = 58907520,
                                                 .interval = 30,
                                                 .timeline = 1,
                                                 .window = 2,
                                                 .over_boot_ms = 123456};
    uint8_t expected[JOURNAL_RECORD_SIZE], bytes[JOURNAL_RECORD_SIZE];

    (void)state;
    from_hex("02000000000000000300000000000000"
             "02784080db82030040e2010000000000"
             "b59812633861b337",
             expected);
    journal_record_encode(&record, journal, bytes);
    assert_memory_equal(bytes, expected, JOURNAL_RECORD_SIZE);
    from_hex("78617370656e7432efcdab89674523014e000000000000006c26c84451f8613c", expected);
    journal_segment_encode(78, journal, bytes);
    assert_memory_equal(bytes, expected, JOURNAL_SEGMENT_HEADER_SIZE);
}

static void every_flipped_bit_is_seen(void **state)
{
    uint64_t random = 2;
    struct journal_record record = any_record(&random);
    struct journal_record untouched = record;
    uint8_t bytes[JOURNAL_RECORD_SIZE];

    (void)state;
    journal_record_encode(&record, journal, bytes);
    for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect(journal_record_decode(bytes, journal, record.number, &untouched) == -1, "bit %zu",
               bit);
        expect(same(&record, &untouched), "bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void a_record_of_another_journal_or_place_is_none(void **state)
{
    uint64_t random = 3;
    struct journal_record record = any_record(&random);
    const uint64_t number = record.number;
    uint8_t bytes[JOURNAL_RECORD_SIZE];

    (void)state;
    journal_record_encode(&record, journal, bytes);
    for (size_t bit = 0; bit < 64; bit++) {
        const uint64_t other = UINT64_C(1) << bit;

        expect(journal_record_decode(bytes, journal ^ other, number, &record) == -1, "bit %zu",
               bit);
        expect(journal_record_decode(bytes, journal, number ^ other, &record) == -1, "bit %zu",
               bit);
        expect(journal_record_decode(bytes, journal, number + bit + 1, &record) == -1, "%zu on",
               bit + 1);
    }
}

static void what_was_never_written_is_no_record(void **state)
{
    static const uint8_t zeros[JOURNAL_RECORD_SIZE];
    uint8_t ones[JOURNAL_RECORD_SIZE];
    struct journal_record record = {.number = 1, .interval = 0};
    uint8_t bytes[JOURNAL_RECORD_SIZE];

    (void)state;
    memset(ones, 0xff, sizeof(ones));
    assert_int_equal(journal_record_decode(zeros, journal, 1, &record), -1);
    assert_int_equal(journal_record_decode(zeros, 0, 1, &record), -1);
    assert_int_equal(journal_record_decode(ones, journal, 1, &record), -1);
    /* Whole, but with steps of no length. */
    journal_record_encode(&record, journal, bytes);
    assert_int_equal(journal_record_decode(bytes, journal, 1, &record), -1);
}

static void a_segments_header_comes_back_and_every_flipped_bit_is_seen(void **state)
{
    uint8_t bytes[JOURNAL_SEGMENT_HEADER_SIZE];
    uint64_t number = 7;

    (void)state;
    journal_segment_encode(12345, journal, bytes);
    assert_int_equal(journal_segment_decode(bytes, journal, &number), 0);
    assert_int_equal(number, 12345);
    number = 7;
    assert_int_equal(journal_segment_decode(bytes, journal + 1, &number), -1);
    for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect(journal_segment_decode(bytes, journal, &number) == -1, "bit %zu", bit);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(number, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(extreme_records_come_back_as_they_were),
        cmocka_unit_test(a_record_takes_at_most_64_bytes),
        cmocka_unit_test(the_bytes_are_little_endian_and_in_order),
        cmocka_unit_test(what_was_written_once_is_read_for_ever),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(a_record_of_another_journal_or_place_is_none),
        cmocka_unit_test(what_was_never_written_is_no_record),
        cmocka_unit_test(a_segments_header_comes_back_and_every_flipped_bit_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
