/* The verifier: a token, the keys and a time in, a verdict out. */
#include "vectors.h"

#define SECRET       "a secret of the test's own, 32 characters and more"
#define OTHER_SECRET "another secret of the test's own, as long as that"
#define OTHER_SEED   "09876543210987654321"

static const int64_t noon = 1767225600; /* the first second of a step of 1, 30, 60 and 900 s */

static void mint_at(const struct token_format *format, struct token_key *key, const char *user,
                    int64_t seconds, char text_r[TOKEN_LENGTH_MAX + 1])
{
    static const char nonce[] = "2718281828459045235360287471352662497757247093699959574966967627";

    assert_int_equal(token_mint(key, format, user, "example.org",
                                totp_step(seconds, format->interval), nonce, text_r),
                     0);
}

static void a_token_is_accepted_to_the_second(void **state)
{
    static const unsigned intervals[] = {1, 7, 30, 60, 900};
    static const unsigned windows[] = {0, 1, 2, 10};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(intervals) * LENGTH_OF(windows); i++) {
        struct token_format format = default_format;
        int64_t step, first, last, width;
        char text[TOKEN_LENGTH_MAX + 1];
        struct token_key *key;

        format.interval = intervals[i % LENGTH_OF(intervals)];
        format.window = windows[i / LENGTH_OF(intervals)];
        if (format.interval == 1 && format.window == 10)
            continue; /* its table is the longest by far, and says nothing new */
        width = (int64_t)(format.window + 1) * format.interval;
        key = key_of(&format, RFC_SEED, SECRET);
        mint_at(&format, key, "alice", noon, text);
        step = totp_step(noon, format.interval);
        first = (step - (int64_t)format.window) * format.interval;
        last = (step + (int64_t)format.window + 1) * format.interval - 1;
        for (int64_t now = first - 3; now <= last + 3; now++) {
            struct token_verdict verdict =
                verdict_of(key, &format, "alice", "example.org", text, now);
            enum reason reason = now < first  ? REASON_EARLY
                                 : now > last ? REASON_EXPIRED
                                              : REASON_ALLOWED;
            bool next = now >= first - (int64_t)format.interval && now < first;
            bool before = now > last && now <= last + (int64_t)format.interval;

            if (now > first + 3 && now < last - 3 && now % 11 != 0)
                continue;
            expect(verdict.reason == reason, "interval %u, window %u, %lld s after the step: %s",
                   format.interval, format.window, (long long)(now - step * format.interval),
                   reason_word(verdict.reason));
            if (reason == REASON_ALLOWED)
                expect(verdict.good_until == last + 1, "interval %u, window %u: good until %lld",
                       format.interval, format.window, (long long)(verdict.good_until - noon));
            if (next)
                expect(verdict.clock_offset == width, "interval %u, window %u: early by %lld",
                       format.interval, format.window, (long long)verdict.clock_offset);
            if (before)
                expect(verdict.clock_offset == -width, "interval %u, window %u: expired by %lld",
                       format.interval, format.window, (long long)verdict.clock_offset);
        }
        token_key_destroy(&key);
    }
}

static void a_stale_token_says_how_far_its_minters_clock_is_off(void **state)
{
    static const struct {
        int64_t minted; /* seconds after noon */
        int64_t judged; /* seconds after noon */
        enum reason reason;
        int64_t offset;
    } rows[] = {
        {0, 0, REASON_ALLOWED, 0},
        {0, 59, REASON_ALLOWED, 0},
        {0, 60, REASON_EXPIRED, -60},
        {29, 60, REASON_EXPIRED, -60},
        {0, 89, REASON_EXPIRED, -60},
        {0, 90, REASON_EXPIRED, -90},
        {59, 0, REASON_ALLOWED, 0},
        {60, 0, REASON_EARLY, 60},
        {60, 29, REASON_EARLY, 60},
        {60, 30, REASON_ALLOWED, 0},
        {89, 0, REASON_EARLY, 60},
        {90, 0, REASON_EARLY, 90},
        {-3600, 0, REASON_EXPIRED, -3600},
        {-3600, 25, REASON_EXPIRED, -3600},
        {-3600, 35, REASON_EXPIRED, -3630},
        {-7200, 0, REASON_EXPIRED, -7200},
        {3600, 0, REASON_EARLY, 3600},
        {86400, 0, REASON_EARLY, 86400},
        {-86400, 0, REASON_EXPIRED, -86400},
        /* The calendar reaches 26 hours and the step that they end in: 3121 steps. */
        {-93600, 0, REASON_EXPIRED, -93600},
        {-93630, 29, REASON_EXPIRED, -93630},
        {-93631, 0, REASON_WRONG_OTP, 0},
        {93659, 0, REASON_EARLY, 93630},
        {93660, 0, REASON_WRONG_OTP, 0},
        {-200000, 0, REASON_WRONG_OTP, 0},
        {200000, 0, REASON_WRONG_OTP, 0},
    };
    struct token_key *key = key_of(&default_format, RFC_SEED, SECRET);

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_verdict verdict;
        char text[TOKEN_LENGTH_MAX + 1];

        mint_at(&default_format, key, "alice", noon + rows[i].minted, text);
        verdict =
            verdict_of(key, &default_format, "alice", "example.org", text, noon + rows[i].judged);
        expect(verdict.reason == rows[i].reason, "row %zu: %s", i, reason_word(verdict.reason));
        expect(verdict.clock_offset == rows[i].offset, "row %zu: %lld", i,
               (long long)verdict.clock_offset);
    }
    token_key_destroy(&key);
}

static void an_allowed_token_names_its_steps_and_its_computed_signature(void **state)
{
    static const enum hash hashes[] = {HASH_SHA256, HASH_SHA512};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(hashes); i++) {
        struct token_format format = default_format;
        struct token_verdict verdict;
        char text[TOKEN_LENGTH_MAX + 1];
        struct token_key *key;
        struct token token;

        format.signature_hash = hashes[i];
        key = key_of(&format, RFC_SEED, SECRET);
        mint_at(&format, key, "alice", noon, text);
        verdict = verdict_of(key, &format, "alice", "example.org", text, noon + 30);
        assert_int_equal(verdict.reason, REASON_ALLOWED);
        assert_int_equal(verdict.key, 0);
        assert_int_equal(verdict.steps.first, noon / 30);
        assert_int_equal(verdict.steps.last, noon / 30);
        assert_int_equal(verdict.interval, 30);
        assert_int_equal(verdict.window, 1);
        assert_int_equal(token_parse(&format, text, strlen(text), &token), 0);
        assert_memory_equal(verdict.signature, token.signature, hash_size(hashes[i]));
        token_key_destroy(&key);
    }
}

/* It may have been spent in any of them, and must be remembered until the last is over. */
static void a_recurring_otp_stands_for_all_its_acceptable_steps(void **state)
{
    static const struct {
        int64_t now, first, last;
    } rows[] = {{74194137, 74194138, 74194140},
                {74194138, 74194138, 74194140},
                {74194139, 74194138, 74194140},
                {74194140, 74194138, 74194140},
                {74194141, 74194138, 74194140}};
    struct token_key *key = key_of(&default_format, RFC_SEED, SECRET);
    char text[TOKEN_LENGTH_MAX + 1];

    (void)state;
    mint_at(&default_format, key, "alice", INT64_C(74194138) * 30, text);
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_verdict verdict =
            verdict_of(key, &default_format, "alice", "example.org", text, rows[i].now * 30);

        expect(verdict.reason == REASON_ALLOWED, "row %zu: %s", i, reason_word(verdict.reason));
        expect(verdict.steps.first == rows[i].first && verdict.steps.last == rows[i].last,
               "row %zu: %lld to %lld", i, (long long)verdict.steps.first,
               (long long)verdict.steps.last);
    }
    token_key_destroy(&key);
}

static void formats_of_every_kind_are_verified(void **state)
{
    size_t formats = 0;

    (void)state;
    for (unsigned otp_digits = OTP_DIGITS_MIN; otp_digits <= OTP_DIGITS_MAX; otp_digits++) {
        for (unsigned nonce_digits = NONCE_DIGITS_MIN; nonce_digits <= NONCE_DIGITS_MAX;
             nonce_digits += 16) {
            for (enum hash otp_hash = HASH_SHA1; otp_hash < HASH_COUNT; otp_hash++) {
                for (enum hash signature = HASH_SHA256; signature < HASH_COUNT; signature++) {
                    struct token_format format = {.otp_digits = otp_digits,
                                                  .nonce_digits = nonce_digits,
                                                  .interval = 60,
                                                  .window = 1,
                                                  .otp_hash = otp_hash,
                                                  .signature_hash = signature};
                    struct token_key *key = key_of(&format, RFC_SEED, SECRET);
                    char text[TOKEN_LENGTH_MAX + 1];
                    struct token_verdict verdict;

                    mint_at(&format, key, "alice", noon, text);
                    expect(strlen(text) == token_length(&format), "%u %u", otp_digits,
                           nonce_digits);
                    verdict = verdict_of(key, &format, "alice", "example.org", text, noon);
                    expect(verdict.reason == REASON_ALLOWED, "%u %u %s %s: %s", otp_digits,
                           nonce_digits, hash_word(otp_hash), hash_word(signature),
                           reason_word(verdict.reason));
                    verdict = verdict_of(key, &format, "mallory", "example.org", text, noon);
                    expect(verdict.reason == REASON_FORGED, "%u %u %s %s: %s", otp_digits,
                           nonce_digits, hash_word(otp_hash), hash_word(signature),
                           reason_word(verdict.reason));
                    token_key_destroy(&key);
                    formats++;
                }
            }
        }
    }
    assert_int_equal(formats, 5 * 4 * 3 * 2);
}

static void only_the_name_that_was_signed_is_let_in(void **state)
{
    static const struct {
        const char *user, *host;
        enum reason reason;
    } rows[] = {
        {"alice", "example.org", REASON_ALLOWED},
        {"Alice", "example.org", REASON_FORGED},
        {"alice ", "example.org", REASON_FORGED},
        {" alice", "example.org", REASON_FORGED},
        {"alic", "example.org", REASON_FORGED},
        {"alicee", "example.org", REASON_FORGED},
        {"bob", "example.org", REASON_FORGED},
        {"", "example.org", REASON_FORGED},
        {"alice", "", REASON_FORGED},
        {"", "", REASON_FORGED},
        {"alice", "example.com", REASON_FORGED},
        {"alice", "Example.org", REASON_FORGED},
        {"alice", "example.org.", REASON_FORGED},
        {"alice", "sub.example.org", REASON_FORGED},
        {"alice@example.org", "example.org", REASON_FORGED},
        {"alice@example.org", "", REASON_FORGED},
        {"", "alice@example.org", REASON_FORGED},
        {"example.org", "alice", REASON_FORGED},
    };
    struct token_key *key = key_of(&default_format, RFC_SEED, SECRET);
    char text[TOKEN_LENGTH_MAX + 1];

    (void)state;
    mint_at(&default_format, key, "alice", noon, text);
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_verdict verdict =
            verdict_of(key, &default_format, rows[i].user, rows[i].host, text, noon);

        expect(verdict.reason == rows[i].reason, "'%s' at '%s': %s", rows[i].user, rows[i].host,
               reason_word(verdict.reason));
    }
    token_key_destroy(&key);
}

/* C's strings would end at the NUL. */
static void a_user_with_a_nul_byte_is_not_the_user_before_it(void **state)
{
    struct token_key *key = key_of(&default_format, RFC_SEED, SECRET);
    char text[TOKEN_LENGTH_MAX + 1];
    struct token_verdict verdict;
    struct claim claim;

    (void)state;
    mint_at(&default_format, key, "admin", noon, text);
    claim = claim_of("admin", "example.org", text);
    token_verify(&key, 1, &default_format, &claim, noon, &verdict);
    assert_int_equal(verdict.reason, REASON_ALLOWED);
    claim.user = "admin\0x";
    claim.user_length = 7;
    token_verify(&key, 1, &default_format, &claim, noon, &verdict);
    assert_int_equal(verdict.reason, REASON_FORGED);
    claim.user_length = 6;
    token_verify(&key, 1, &default_format, &claim, noon, &verdict);
    assert_int_equal(verdict.reason, REASON_FORGED);
    token_key_destroy(&key);
}

static void one_bit_of_the_signature_or_one_digit_changed_is_forged(void **state)
{
    struct token_key *key = key_of(&default_format, RFC_SEED, SECRET);
    char original[TOKEN_LENGTH_MAX + 1], text[TOKEN_LENGTH_MAX + 1];
    struct token token;

    (void)state;
    mint_at(&default_format, key, "alice", noon, original);
    assert_int_equal(token_parse(&default_format, original, strlen(original), &token), 0);
    for (size_t bit = 0; bit < (size_t)32 * 8; bit++) {
        uint8_t signature[32];

        memcpy(signature, token.signature, sizeof(signature));
        signature[bit / 8] ^= (uint8_t)(1u << bit % 8);
        copy_text(text, original);
        base64_encode(signature, sizeof(signature), text + 41);
        expect(verdict_of(key, &default_format, "alice", "example.org", text, noon).reason ==
                   REASON_FORGED,
               "bit %zu", bit);
    }
    for (size_t at = 0; at < 40; at++) {
        for (int digit = '0'; digit <= '9'; digit++) {
            copy_text(text, original);
            text[at] = (char)digit;
            expect(verdict_of(key, &default_format, "alice", "example.org", text, noon).reason ==
                       (digit == original[at] ? REASON_ALLOWED : REASON_FORGED),
                   "%c at %zu", digit, at);
        }
    }
    token_key_destroy(&key);
}

static void names_too_long_to_be_a_jid_are_malformed_and_long_ones_just_forged(void **state)
{
    struct token_key *key = key_of(&default_format, RFC_SEED, SECRET);
    char text[TOKEN_LENGTH_MAX + 1], *name = malloc(20000);

    (void)state;
    assert_non_null(name);
    memset(name, 'x', 20000);
    mint_at(&default_format, key, "alice", noon, text);
    for (size_t length = 8000; length < 20000; length += 7) {
        struct claim claim = claim_of("", "h", text);
        struct token_verdict verdict;

        claim.user = name;
        claim.user_length = length;
        token_verify(&key, 1, &default_format, &claim, noon, &verdict);
        if (length + 2 <= TOKEN_JID_MAX)
            expect(verdict.reason == REASON_FORGED, "user of %zu bytes", length);
        else
            expect(verdict.reason == REASON_FORGED || verdict.reason == REASON_MALFORMED,
                   "user of %zu bytes", length);
        if (length > TOKEN_JID_MAX + OTP_DIGITS_MAX + NONCE_DIGITS_MAX)
            expect(verdict.reason == REASON_MALFORMED, "user of %zu bytes", length);
    }
    free(name);
    token_key_destroy(&key);
}

/* Keys of the table below: what they are made of, and when they count. */
static const struct {
    const char *seed, *secret;
    struct token_key_dates dates;
} key_rows[] = {
    {RFC_SEED, SECRET, {INT64_MIN, INT64_MAX}},         /* 0 */
    {OTHER_SEED, SECRET, {INT64_MIN, INT64_MAX}},       /* 1: the secret of 0 */
    {OTHER_SEED, OTHER_SECRET, {INT64_MIN, INT64_MAX}}, /* 2: nothing of 0 */
    {RFC_SEED, SECRET, {INT64_MIN, 1767225600}},        /* 3: 0, retired at noon */
    {RFC_SEED, SECRET, {1767225601, INT64_MAX}},        /* 4: 0, from a second later on */
    {RFC_SEED, OTHER_SECRET, {INT64_MIN, INT64_MAX}},   /* 5: the seed of 0 */
    {OTHER_SEED, SECRET, {INT64_MIN, 1767225600}},      /* 6: 1, retired at noon */
    {RFC_SEED, SECRET, {1767225600, 1767225601}},       /* 7: 0, for one second */
};

static void every_key_is_tried_and_the_one_that_comes_furthest_decides(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        size_t keys[4];
        size_t minted_by;
        int64_t minted; /* seconds after noon */
        enum reason reason;
        size_t key; /* which of keys; not looked at where forged */
    } rows[] = {
        {"no key at all", 0, {0}, 0, 0, REASON_FORGED, 0},
        {"its own key", 1, {0}, 0, 0, REASON_ALLOWED, 0},
        {"a key of others", 1, {2}, 0, 0, REASON_FORGED, 0},
        {"the seed alone is right", 1, {5}, 0, 0, REASON_FORGED, 0},
        {"the secret alone is right", 1, {1}, 0, 0, REASON_WRONG_OTP, 0},
        {"the second of two", 2, {2, 0}, 0, 0, REASON_ALLOWED, 1},
        {"the last of four", 4, {2, 5, 2, 0}, 0, 0, REASON_ALLOWED, 3},
        {"the first of two that fit", 2, {0, 0}, 0, 0, REASON_ALLOWED, 0},
        {"two seeds under one secret, the second's token", 2, {0, 1}, 1, 0, REASON_ALLOWED, 1},
        {"two seeds under one secret, the first's token", 2, {0, 1}, 0, 0, REASON_ALLOWED, 0},
        {"two seeds under one secret, swapped", 2, {1, 0}, 0, 0, REASON_ALLOWED, 1},
        {"two secrets over one seed", 2, {5, 0}, 0, 0, REASON_ALLOWED, 1},
        {"expired by the key whose OTP it is", 2, {1, 0}, 0, -600, REASON_EXPIRED, 1},
        {"early by the key whose OTP it is", 2, {0, 1}, 1, 600, REASON_EARLY, 1},
        {"wrong OTP is more than forged", 3, {2, 1, 5}, 0, 0, REASON_WRONG_OTP, 1},
        {"retired", 1, {3}, 0, 0, REASON_KEY_RETIRED, 0},
        {"not yet", 1, {4}, 0, 0, REASON_KEY_RETIRED, 0},
        {"within its one second", 1, {7}, 0, 0, REASON_ALLOWED, 0},
        {"retired, and the same key still counts elsewhere", 2, {3, 0}, 0, 0, REASON_ALLOWED, 1},
        {"retired and not yet", 2, {3, 4}, 0, 0, REASON_KEY_RETIRED, 0},
        {"retired before expired", 1, {3}, 0, -600, REASON_KEY_RETIRED, 0},
        {"retired is more than expired", 2, {0, 3}, 0, -600, REASON_KEY_RETIRED, 1},
        {"a retired key's wrong OTP", 1, {6}, 0, 0, REASON_WRONG_OTP, 0},
        {"a retired key that does not sign", 1, {3}, 2, 0, REASON_FORGED, 0},
        {"a token of a day and more ago", 1, {0}, 0, -100000, REASON_WRONG_OTP, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_key *minter = key_of(&default_format, key_rows[rows[i].minted_by].seed,
                                          key_rows[rows[i].minted_by].secret);
        struct token_key *keys[4] = {NULL};
        char text[TOKEN_LENGTH_MAX + 1];
        struct token_verdict verdict;
        struct claim claim;

        mint_at(&default_format, minter, "alice", noon + rows[i].minted, text);
        for (size_t k = 0; k < rows[i].count; k++)
            keys[k] =
                key_with_dates(&default_format, key_rows[rows[i].keys[k]].seed,
                               key_rows[rows[i].keys[k]].secret, key_rows[rows[i].keys[k]].dates);
        claim = claim_of("alice", "example.org", text);
        token_verify(keys, rows[i].count, &default_format, &claim, noon, &verdict);
        expect(verdict.reason == rows[i].reason, "%s: %s", rows[i].name,
               reason_word(verdict.reason));
        if (rows[i].reason != REASON_FORGED)
            expect(verdict.key == rows[i].key, "%s: key %zu", rows[i].name, verdict.key);
        for (size_t k = 0; k < rows[i].count; k++)
            token_key_destroy(&keys[k]);
        token_key_destroy(&minter);
    }
}

static void a_keys_dates_are_kept_to_the_second(void **state)
{
    struct token_key_dates dates = {.accept_from = noon - 5, .accept_until = noon + 5};
    struct token_key *key = key_with_dates(&default_format, RFC_SEED, SECRET, dates);
    char text[TOKEN_LENGTH_MAX + 1];

    (void)state;
    mint_at(&default_format, key, "alice", noon, text);
    for (int64_t now = noon - 10; now < noon + 10; now++) {
        bool in_date = now >= noon - 5 && now < noon + 5;

        expect(verdict_of(key, &default_format, "alice", "example.org", text, now).reason ==
                   (in_date ? REASON_ALLOWED : REASON_KEY_RETIRED),
               "%lld s after noon", (long long)(now - noon));
    }
    token_key_destroy(&key);
}

/* A naive utcnow() that is read as local time makes the minter's clock as much slow as the zone is
 * east of Greenwich, and as much fast as it is west. */
static void a_whole_number_of_half_hours_looks_like_a_time_zone(void **state)
{
    static const struct {
        const char *place;
        int64_t east; /* seconds */
        bool named;
    } rows[] = {
        {"London in winter", 0, false},
        {"Berlin in winter", 3600, true},
        {"Berlin in summer", 7200, true},
        {"Kolkata, half an hour", 19800, true},
        {"Kathmandu, three quarters", 20700, false},
        {"Tokyo", 32400, true},
        {"Adelaide", 34200, true},
        {"Chatham, three quarters", 45900, false},
        {"Kiritimati, the farthest east", 50400, true},
        {"Newfoundland", -12600, true},
        {"New York in winter", -18000, true},
        {"Los Angeles in summer", -25200, true},
        {"Marquesas", -34200, true},
        {"Baker Island, the farthest west", -43200, true},
        {"a quarter of an hour", 900, false},
        {"twenty minutes", 1200, false},
    };
    struct token_key *key = key_of(&default_format, RFC_SEED, SECRET);

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        /* A token of this very moment, of the last second of a step, and a minute old. */
        for (int64_t age = 0; age <= 59; age++) {
            char text[TOKEN_LENGTH_MAX + 1];
            struct token_verdict verdict;
            int64_t zone;

            mint_at(&default_format, key, "alice", noon - rows[i].east, text);
            verdict = verdict_of(key, &default_format, "alice", "example.org", text, noon + age);
            zone = time_zone_offset(verdict.clock_offset, &default_format);
            expect(zone == (rows[i].named ? -rows[i].east : 0), "%s, %lld s old: %lld from %lld",
                   rows[i].place, (long long)age, (long long)zone, (long long)verdict.clock_offset);
        }
    }
    token_key_destroy(&key);
}

static void half_hours_are_told_within_the_allowed_age_and_five_minutes_at_the_most(void **state)
{
    static const struct {
        unsigned interval, window;
        int64_t offset, zone;
    } rows[] = {
        {30, 1, 0, 0},         {30, 1, 60, 0},          {30, 1, -60, 0},      {30, 1, 1740, 1800},
        {30, 1, 1739, 0},      {30, 1, 1860, 1800},     {30, 1, 1861, 0},     {30, 1, -1740, -1800},
        {30, 1, -1739, 0},     {30, 1, -1860, -1800},   {30, 1, -1861, 0},    {30, 1, 3600, 3600},
        {30, 1, -3660, -3600}, {30, 1, -3661, 0},       {30, 1, 900, 0},      {30, 1, -900, 0},
        {30, 1, 93600, 93600}, {30, 1, -93600, -93600}, {30, 0, 1770, 1800},  {30, 0, 1769, 0},
        {30, 10, 1500, 1800},  {30, 10, 1499, 0},       {30, 10, 330, 0},     {30, 10, -330, 0},
        {900, 0, 1500, 1800},  {900, 0, 1499, 0},       {900, 0, 900, 0},     {900, 0, -900, 0},
        {900, 0, -2700, 0},    {900, 0, 3600, 3600},    {1, 0, 3601, 3600},   {1, 0, 3602, 0},
        {300, 1, 2100, 1800},  {300, 1, 2101, 0},       {301, 0, 1500, 1800}, {301, 0, 1499, 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_format format = default_format;

        format.interval = rows[i].interval;
        format.window = rows[i].window;
        expect(time_zone_offset(rows[i].offset, &format) == rows[i].zone,
               "interval %u, window %u, offset %lld", rows[i].interval, rows[i].window,
               (long long)rows[i].offset);
    }
}

static void the_first_steps_after_the_epoch_and_far_ones_are_judged_too(void **state)
{
    static const int64_t times[] = {0, 29, 30, 4294967295, 4294967296, 20000000000, 253402300799};
    struct token_key *key = key_of(&default_format, RFC_SEED, SECRET);

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(times); i++) {
        char text[TOKEN_LENGTH_MAX + 1];

        mint_at(&default_format, key, "alice", times[i], text);
        expect(verdict_of(key, &default_format, "alice", "example.org", text, times[i]).reason ==
                   REASON_ALLOWED,
               "time %lld", (long long)times[i]);
        expect(
            verdict_of(key, &default_format, "alice", "example.org", text, times[i] + 90).reason ==
                REASON_EXPIRED,
            "time %lld", (long long)times[i]);
        expect(
            verdict_of(key, &default_format, "alice", "example.org", text, times[i] - 90).reason ==
                REASON_EARLY,
            "time %lld", (long long)times[i]);
    }
    token_key_destroy(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_accepted_to_the_second),
        cmocka_unit_test(a_stale_token_says_how_far_its_minters_clock_is_off),
        cmocka_unit_test(an_allowed_token_names_its_steps_and_its_computed_signature),
        cmocka_unit_test(a_recurring_otp_stands_for_all_its_acceptable_steps),
        cmocka_unit_test(formats_of_every_kind_are_verified),
        cmocka_unit_test(only_the_name_that_was_signed_is_let_in),
        cmocka_unit_test(a_user_with_a_nul_byte_is_not_the_user_before_it),
        cmocka_unit_test(one_bit_of_the_signature_or_one_digit_changed_is_forged),
        cmocka_unit_test(names_too_long_to_be_a_jid_are_malformed_and_long_ones_just_forged),
        cmocka_unit_test(every_key_is_tried_and_the_one_that_comes_furthest_decides),
        cmocka_unit_test(a_keys_dates_are_kept_to_the_second),
        cmocka_unit_test(a_whole_number_of_half_hours_looks_like_a_time_zone),
        cmocka_unit_test(half_hours_are_told_within_the_allowed_age_and_five_minutes_at_the_most),
        cmocka_unit_test(the_first_steps_after_the_epoch_and_far_ones_are_judged_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
