/* A key: what it signs, which OTPs it accepts now, and which steps gave the others. */
#include "vectors.h"

static void dates_begin_inclusive_and_end_exclusive(void **state)
{
    static const struct {
        int64_t from, until, at;
        bool in_date;
    } rows[] = {
        {INT64_MIN, INT64_MAX, 0, true},
        {INT64_MIN, INT64_MAX, INT64_MIN, true},
        {INT64_MIN, INT64_MAX, INT64_MAX - 1, true},
        {1000, INT64_MAX, 999, false},
        {1000, INT64_MAX, 1000, true},
        {INT64_MIN, 2000, 1999, true},
        {INT64_MIN, 2000, 2000, false},
        {1000, 2000, 999, false},
        {1000, 2000, 1500, true},
        {1000, 2000, 2000, false},
        {1000, 1001, 1000, true},
        {1000, 1001, 1001, false},
        {-10, 0, -1, true},
        {-10, 0, 0, false},
        {2000, 1000, 1500, false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_key_dates dates = {.accept_from = rows[i].from, .accept_until = rows[i].until};
        struct token_key *key = key_with_dates(&default_format, RFC_SEED, "secret", dates);

        expect(token_key_in_date(key, rows[i].at) == rows[i].in_date, "row %zu", i);
        token_key_destroy(&key);
        assert_null(key);
    }
}

/* The OTP of each step is computed anew here, one by one. */
static bool naive_match(struct token_key *key, int64_t window, uint64_t otp, int64_t now,
                        struct otp_match *match_r)
{
    bool found = false;

    for (int64_t step = now - window; step <= now + window; step++) {
        uint32_t value;

        assert_int_equal(token_key_otp(key, step, &value), 0);
        if (value != otp)
            continue;
        if (!found)
            match_r->first = step;
        match_r->last = step;
        found = true;
    }
    return found;
}

/* Hop by hop: from a step that gives the OTP to the next one that does, if the two windows leave no
 * moment between them. */
static int64_t naive_hops(struct token_key *key, int64_t window, uint64_t otp, int64_t from,
                          int64_t direction)
{
    int64_t reached = from;

    for (int64_t hop = 1; hop <= 2 * window + 1; hop++) {
        uint32_t value;

        assert_int_equal(token_key_otp(key, reached + direction * hop, &value), 0);
        if (value != otp)
            continue;
        reached += direction * hop;
        hop = 0;
    }
    return reached;
}

static void windows_of_every_width_accept_their_steps_and_no_other(void **state)
{
    (void)state;
    for (unsigned window = 0; window <= OTP_WINDOW_MAX; window++) {
        struct token_format format = default_format;
        struct token_key *key;

        format.window = window;
        key = key_of(&format, RFC_SEED, "secret");
        for (int64_t now = 58907520; now < 58907530; now++) {
            for (int64_t step = now - 12; step <= now + 12; step++) {
                bool in_window = step >= now - (int64_t)window && step <= now + (int64_t)window;
                struct otp_match match = {.first = -77, .last = -77};
                uint32_t otp;

                assert_int_equal(token_key_otp(key, step, &otp), 0);
                expect(token_key_match(key, otp, now, &match) == in_window,
                       "window %u, step %lld at %lld", window, (long long)step, (long long)now);
                if (in_window)
                    expect(match.first == step && match.last == step,
                           "window %u, step %lld at %lld: %lld to %lld", window, (long long)step,
                           (long long)now, (long long)match.first, (long long)match.last);
            }
        }
        token_key_destroy(&key);
    }
}

/* Judges one OTP at one moment; returns whether it was filed later than its last match. */
static bool agrees_with_naive(struct token_key *key, int64_t window, uint32_t otp, int64_t now)
{
    struct otp_match match = {0}, expected = {0}, stretch;
    bool accepted = token_key_match(key, otp, now, &match);

    expect(accepted == naive_match(key, window, otp, now, &expected), "window %lld at %lld",
           (long long)window, (long long)now);
    if (!accepted)
        return false;
    expect(match.first == expected.first && match.last == expected.last, "window %lld at %lld",
           (long long)window, (long long)now);
    stretch = token_key_stretch(key, otp, match);
    expect(stretch.first == naive_hops(key, window, otp, match.first, -1) &&
               stretch.last == naive_hops(key, window, otp, match.last, 1),
           "window %lld at %lld: %lld to %lld", (long long)window, (long long)now,
           (long long)stretch.first, (long long)stretch.last);
    return stretch.last != match.last || stretch.first != match.first;
}

/* With six digits and some hundred thousand steps values recur near each other a few times. */
static void recurring_otps_agree_with_a_look_at_every_step(void **state)
{
    enum { STEPS = 300000, APART_MAX = 25, FIRST = 1000000 };
    uint32_t *otps = malloc(STEPS * sizeof(*otps));
    struct token_format format = default_format;
    size_t pairs = 0, stretched = 0;
    struct token_key *key;

    (void)state;
    assert_non_null(otps);
    format.otp_digits = 6;
    key = key_of(&format, RFC_SEED, "secret");
    for (int64_t i = 0; i < STEPS; i++)
        assert_int_equal(token_key_otp(key, FIRST + i, &otps[i]), 0);
    token_key_destroy(&key);
    for (int64_t i = 0; i + APART_MAX < STEPS; i++) {
        for (int64_t apart = 1; apart <= APART_MAX; apart++) {
            if (otps[i] != otps[i + apart])
                continue;
            pairs++;
            for (unsigned window = 0; window <= OTP_WINDOW_MAX; window++) {
                format.window = window;
                key = key_of(&format, RFC_SEED, "secret");
                for (int64_t at = i - 15; at <= i + apart + 15; at++)
                    stretched += agrees_with_naive(key, window, otps[i], FIRST + at);
                token_key_destroy(&key);
            }
        }
    }
    assert_true(pairs >= 3);
    assert_true(stretched > 0);
    free(otps);
}

static void the_known_recurring_otp_is_filed_under_its_last_step(void **state)
{
    static const struct {
        unsigned window;
        int64_t now;
        bool accepted;
        int64_t first, last, end;
    } rows[] = {
        /* Window 1: 74194138 and 74194140 leave no moment between them. */
        {1, 74194136, false, 0, 0, 0},
        {1, 74194137, true, 74194138, 74194138, 74194140},
        {1, 74194138, true, 74194138, 74194138, 74194140},
        {1, 74194139, true, 74194138, 74194140, 74194140},
        {1, 74194140, true, 74194140, 74194140, 74194140},
        {1, 74194141, true, 74194140, 74194140, 74194140},
        {1, 74194142, false, 0, 0, 0},
        /* Window 0: at 74194139 the token is not acceptable, so each stands alone. */
        {0, 74194138, true, 74194138, 74194138, 74194138},
        {0, 74194139, false, 0, 0, 0},
        {0, 74194140, true, 74194140, 74194140, 74194140},
        {10, 74194128, true, 74194138, 74194138, 74194140},
        {10, 74194139, true, 74194138, 74194140, 74194140},
        {10, 74194149, true, 74194140, 74194140, 74194140},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_format format = default_format;
        struct otp_match match = {0};
        struct token_key *key;

        format.window = rows[i].window;
        key = key_of(&format, RFC_SEED, "secret");
        expect(token_key_match(key, 81101790, rows[i].now, &match) == rows[i].accepted, "row %zu",
               i);
        if (rows[i].accepted) {
            expect(match.first == rows[i].first && match.last == rows[i].last, "row %zu", i);
            expect(token_key_stretch(key, 81101790, match).last == rows[i].end, "row %zu", i);
        }
        token_key_destroy(&key);
    }
}

/* Ten digits can't all be an OTP: the value is below 2^31. None may be taken modulo 2^32. */
/* Of six digits: 59061240 and 59061241 both give 963181, and without a window each is acceptable in
 * its own time alone. */
static void steps_next_to_each_other_with_one_otp_are_filed_together(void **state)
{
    static const struct {
        int64_t now;
        bool accepted;
    } rows[] = {{59061239, false}, {59061240, true}, {59061241, true}, {59061242, false}};
    struct token_format format = default_format;
    struct token_key *key;

    (void)state;
    format.otp_digits = 6;
    format.window = 0;
    key = key_of(&format, RFC_SEED, "secret");
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct otp_match match = {0}, stretch;

        expect(token_key_match(key, 963181, rows[i].now, &match) == rows[i].accepted, "row %zu", i);
        if (!rows[i].accepted)
            continue;
        expect(match.first == rows[i].now && match.last == rows[i].now, "row %zu", i);
        stretch = token_key_stretch(key, 963181, match);
        expect(stretch.first == 59061240 && stretch.last == 59061241, "row %zu: %lld to %lld", i,
               (long long)stretch.first, (long long)stretch.last);
    }
    token_key_destroy(&key);
}

/* Of two steps that are both near, and neither of them acceptable. */
static void the_nearest_of_the_near_steps_is_found(void **state)
{
    static const struct {
        unsigned window;
        int64_t now, step;
    } rows[] = {
        {1, 74194136, 74194138},
        {1, 74194142, 74194140},
        {0, 74194139, 74194138}, /* both as near: the earlier */
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_format format = default_format;
        struct otp_match match = {0};
        struct token_key *key;
        int64_t step = -77;

        format.window = rows[i].window;
        key = key_of(&format, RFC_SEED, "secret");
        expect(!token_key_match(key, 81101790, rows[i].now, &match), "row %zu", i);
        expect(token_key_find_step(key, 81101790, rows[i].now, &step) == STEP_FOUND, "row %zu", i);
        expect(step == rows[i].step, "row %zu: %lld", i, (long long)step);
        expect(!token_key_remembers_steps(key), "row %zu", i);
        token_key_destroy(&key);
    }
}

static void a_number_beyond_every_otp_matches_nothing(void **state)
{
    struct token_format format = default_format;
    struct token_key *key;
    struct otp_match match;
    uint32_t otp;
    int64_t step;

    (void)state;
    format.otp_digits = 10;
    key = key_of(&format, RFC_SEED, "secret");
    assert_int_equal(token_key_otp(key, 58907520, &otp), 0);
    assert_true(token_key_match(key, otp, 58907520, &match));
    assert_false(token_key_match(key, otp + (UINT64_C(1) << 32), 58907520, &match));
    assert_int_equal(token_key_find_step(key, otp, 58907520, &step), STEP_FOUND);
    assert_int_equal(token_key_find_step(key, otp + (UINT64_C(1) << 32), 58907520, &step),
                     STEP_NONE);
    token_key_destroy(&key);
}

static void steps_are_found_within_26_hours_at_every_interval(void **state)
{
    static const unsigned intervals[] = {7, 30, 60, 900};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(intervals); i++) {
        struct token_format format = default_format;
        int64_t now, reach = 26 * 3600 / intervals[i] + 1;
        struct token_key *key;

        format.interval = intervals[i];
        key = key_of(&format, RFC_SEED, "secret");
        now = totp_step(1767225600, intervals[i]);
        assert_false(token_key_remembers_steps(key));
        for (int sign = -1; sign <= 1; sign += 2) {
            int64_t step = 0;
            uint32_t otp;

            assert_int_equal(token_key_otp(key, now + sign * reach, &otp), 0);
            expect(token_key_find_step(key, otp, now, &step) == STEP_FOUND &&
                       step == now + sign * reach,
                   "interval %u: the last step is found as %lld", intervals[i],
                   (long long)(step - now));
            assert_int_equal(token_key_otp(key, now + sign * (reach + 1), &otp), 0);
            expect(token_key_find_step(key, otp, now, &step) == STEP_NONE,
                   "interval %u: one step more", intervals[i]);
        }
        assert_true(token_key_remembers_steps(key));
        token_key_share_calendars(key, NULL);
        assert_false(token_key_remembers_steps(key));
        token_key_destroy(&key);
    }
}

static void a_key_of_any_length_works(void **state)
{
    uint8_t bytes[200] = {0};

    (void)state;
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        uint8_t *exact = exact_copy(bytes, size);
        struct token_key *key =
            token_key_create(&default_format, exact, size, exact, size, any_date);
        uint8_t signature[HASH_SIZE_MAX];
        uint32_t otp;

        free(exact);
        expect(key != NULL, "size %zu", size);
        expect(token_key_sign(key, "message", 7, signature) == 0, "size %zu", size);
        expect(token_key_otp(key, 1, &otp) == 0, "size %zu", size);
        token_key_destroy(&key);
    }
}

/* Also of a key that has computed nothing yet, and whatever its window. */
static void asking_for_a_keys_memory_ahead_changes_nothing(void **state)
{
    (void)state;
    for (unsigned window = 0; window <= OTP_WINDOW_MAX; window++) {
        struct token_format format = default_format;
        struct token_key *key;
        uint8_t before[HASH_SIZE_MAX], after[HASH_SIZE_MAX];
        struct otp_match match;
        uint32_t otp = 0;

        format.window = window;
        key = key_of(&format, RFC_SEED, "secret");
        token_key_prefetch(key);
        assert_int_equal(token_key_sign(key, "message", 7, before), 0);
        assert_int_equal(token_key_otp(key, 58907520, &otp), 0);
        expect(token_key_match(key, otp, 58907520, &match), "window %u", window);
        token_key_prefetch(key);
        assert_int_equal(token_key_sign(key, "message", 7, after), 0);
        expect(token_key_match(key, otp, 58907520, &match), "window %u", window);
        assert_memory_equal(before, after, hash_size(format.signature_hash));
        token_key_destroy(&key);
    }
}

/* It may stand beside what is needed with it: neither it nor its end touches what is around it. */
static void a_key_in_a_place_of_its_owners_stays_within_it(void **state)
{
    static const struct token_key_dates dates = {1000, 2000};
    unsigned char around[CACHE_LINE];
    unsigned char *memory = cache_lines_alloc(2 * sizeof(around) + TOKEN_KEY_SIZE);

    (void)state;
    memset(around, 0x5a, sizeof(around));
    for (unsigned window = 0; window <= OTP_WINDOW_MAX; window++) {
        struct token_format format = default_format;
        struct token_key *beside, *key;
        struct otp_match match, other;
        uint32_t otp = 0;

        format.window = window;
        memset(memory, 0x5a, 2 * sizeof(around) + TOKEN_KEY_SIZE);
        memset(memory + sizeof(around), 0, TOKEN_KEY_SIZE);
        beside = token_key_create_at(memory + sizeof(around), &format, (const uint8_t *)RFC_SEED,
                                     strlen(RFC_SEED), (const uint8_t *)"secret", 6, dates);
        assert_ptr_equal(beside, memory + sizeof(around));
        key = key_of(&format, RFC_SEED, "secret");
        assert_int_equal(token_key_otp(beside, 58907521, &otp), 0);
        expect(token_key_match(beside, otp, 58907520, &match) ==
                   token_key_match(key, otp, 58907520, &other),
               "window %u", window);
        assert_false(token_key_in_date(beside, 999));
        assert_true(token_key_in_date(beside, 1000));
        assert_false(token_key_in_date(beside, 2000));
        assert_true(token_key_in_date(key, 999));
        token_key_destroy(&key);
        token_key_destroy(&beside);
        assert_null(beside);
        for (size_t i = 0; i < TOKEN_KEY_SIZE; i++)
            expect(memory[sizeof(around) + i] == 0, "window %u: byte %zu is left", window, i);
        assert_memory_equal(memory, around, sizeof(around));
        assert_memory_equal(memory + sizeof(around) + TOKEN_KEY_SIZE, around, sizeof(around));
    }
    free(memory);
}

static void destroying_nothing_is_allowed(void **state)
{
    struct token_key *none = NULL;

    (void)state;
    token_key_destroy(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_begin_inclusive_and_end_exclusive),
        cmocka_unit_test(windows_of_every_width_accept_their_steps_and_no_other),
        cmocka_unit_test(recurring_otps_agree_with_a_look_at_every_step),
        cmocka_unit_test(the_known_recurring_otp_is_filed_under_its_last_step),
        cmocka_unit_test(steps_next_to_each_other_with_one_otp_are_filed_together),
        cmocka_unit_test(the_nearest_of_the_near_steps_is_found),
        cmocka_unit_test(a_number_beyond_every_otp_matches_nothing),
        cmocka_unit_test(steps_are_found_within_26_hours_at_every_interval),
        cmocka_unit_test(a_key_of_any_length_works),
        cmocka_unit_test(asking_for_a_keys_memory_ahead_changes_nothing),
        cmocka_unit_test(a_key_in_a_place_of_its_owners_stays_within_it),
        cmocka_unit_test(destroying_nothing_is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
