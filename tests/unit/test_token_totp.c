/* One-time passwords: the vectors of RFC 4226 and RFC 6238, and their time steps. */
#include "vectors.h"

#include "token/totp.h"

static const char sha1_seed[] = RFC_SEED;
static const char sha256_seed[] = "12345678901234567890123456789012";
static const char sha512_seed[] =
    "1234567890123456789012345678901234567890123456789012345678901234";

static uint32_t otp_of(const char *seed, enum hash hash, uint64_t counter, unsigned digits)
{
    struct keyed_hash keyed;
    uint32_t otp = UINT32_MAX;

    assert_int_equal(keyed_hash_init(&keyed, hash, (const uint8_t *)seed, strlen(seed)), 0);
    assert_int_equal(hotp(&keyed, counter, digits, &otp), 0);
    keyed_hash_deinit(&keyed);
    return otp;
}

/* RFC 4226 appendix D: the truncated value and its last six digits. */
static void rfc_4226_appendix_d(void **state)
{
    static const struct {
        uint32_t truncated, otp;
    } rows[] = {
        {1284755224, 755224}, {1094287082, 287082}, {137359152, 359152},  {1726969429, 969429},
        {1640338314, 338314}, {868254676, 254676},  {1918287922, 287922}, {82162583, 162583},
        {673399871, 399871},  {645520489, 520489},
    };

    (void)state;
    for (size_t count = 0; count < LENGTH_OF(rows); count++) {
        expect(otp_of(sha1_seed, HASH_SHA1, count, 6) == rows[count].otp, "count %zu", count);
        /* With ten digits nothing is cut off. */
        expect(otp_of(sha1_seed, HASH_SHA1, count, 10) == rows[count].truncated, "count %zu",
               count);
    }
}

/* RFC 6238 appendix B. */
static void rfc_6238_appendix_b(void **state)
{
    static const struct {
        int64_t time;
        int64_t step;
        uint32_t sha1, sha256, sha512;
    } rows[] = {
        {59, 0x1, 94287082, 46119246, 90693936},
        {1111111109, 0x23523EC, 7081804, 68084774, 25091201},
        {1111111111, 0x23523ED, 14050471, 67062674, 99943326},
        {1234567890, 0x273EF07, 89005924, 91819424, 93441116},
        {2000000000, 0x3F940AA, 69279037, 90698825, 38618901},
        {20000000000, 0x27BC86AA, 65353130, 77737706, 47863826},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        uint64_t step = (uint64_t)totp_step(rows[i].time, 30);

        expect((int64_t)step == rows[i].step, "time %lld", (long long)rows[i].time);
        expect(otp_of(sha1_seed, HASH_SHA1, step, 8) == rows[i].sha1, "SHA-1, time %lld",
               (long long)rows[i].time);
        expect(otp_of(sha256_seed, HASH_SHA256, step, 8) == rows[i].sha256, "SHA-256, time %lld",
               (long long)rows[i].time);
        expect(otp_of(sha512_seed, HASH_SHA512, step, 8) == rows[i].sha512, "SHA-512, time %lld",
               (long long)rows[i].time);
    }
}

static void every_number_of_digits_is_the_end_of_the_same_value(void **state)
{
    uint64_t random = 3;

    (void)state;
    for (size_t i = 0; i < 500; i++) {
        uint64_t counter = random_next(&random);
        uint64_t modulus = 1000000;
        uint32_t whole = otp_of(sha512_seed, HASH_SHA512, counter, OTP_DIGITS_MAX);

        expect(whole <= INT32_MAX, "counter %llu", (unsigned long long)counter);
        for (unsigned digits = OTP_DIGITS_MIN; digits <= OTP_DIGITS_MAX; digits++, modulus *= 10)
            expect(otp_of(sha512_seed, HASH_SHA512, counter, digits) == whole % modulus,
                   "counter %llu, %u digits", (unsigned long long)counter, digits);
    }
}

static void steps_begin_at_the_epoch_and_round_down(void **state)
{
    static const struct {
        int64_t seconds;
        unsigned interval;
        int64_t step;
    } rows[] = {
        {0, 30, 0},
        {29, 30, 0},
        {30, 30, 1},
        {59, 30, 1},
        {60, 30, 2},
        {-1, 30, -1},
        {-30, 30, -1},
        {-31, 30, -2},
        {1767225599, 30, 58907519},
        {1767225600, 30, 58907520},
        {1767225600, 1, 1767225600},
        {1767225600, 900, 1963584},
        {1767226499, 900, 1963584},
        {1767226500, 900, 1963585},
        {20000000000, 30, 666666666},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(totp_step(rows[i].seconds, rows[i].interval) == rows[i].step, "%lld / %u",
               (long long)rows[i].seconds, rows[i].interval);
}

/* Values recur by chance; the signature does not bind the step. */
static void the_known_recurring_values_recur(void **state)
{
    static const struct {
        uint64_t step;
        uint32_t otp;
    } rows[] = {
        {58913288, 84086926}, {58913334, 84086926}, {74194138, 81101790}, {74194140, 81101790}};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(otp_of(sha1_seed, HASH_SHA1, rows[i].step, 8) == rows[i].otp, "step %llu",
               (unsigned long long)rows[i].step);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_4226_appendix_d),
        cmocka_unit_test(rfc_6238_appendix_b),
        cmocka_unit_test(every_number_of_digits_is_the_end_of_the_same_value),
        cmocka_unit_test(steps_begin_at_the_epoch_and_round_down),
        cmocka_unit_test(the_known_recurring_values_recur),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
