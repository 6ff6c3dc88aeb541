/* A key's fingerprint: what is published in tests/vectors, and as long as it must be. */
#include "vectors.h"

#include "token/key_fingerprint.h"

static void published_fingerprints_are_met(void **state)
{
    static const struct {
        const char *seed, *secret;
        const char *fingerprint;
    } rows[] = {
        {RFC_SEED, "test.vectors+only/never=use_them~elsewhere,2026", "46e6f78a11cdbdcc"},
        {RFC_SEED, "74d705c132f0c2c795771e23dca5a79ead6f7c56d90b01615cb6a8cf111f1f1d",
         "25939dafd09b7216"},
        {RFC_SEED, "KRUGKIDROVUWG2ZAMJZG653OEBTG66BA", "3413899996d8e2d0"},
        /* A byte goes from the one secret to the other. */
        {RFC_SEED, "1234567890123456789012", "f6912d3284ae0f20"},
        {RFC_SEED "1", "234567890123456789012", "ec13597711b1afe8"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct key_fingerprint name;

        memset(&name, 'x', sizeof(name));
        expect(key_fingerprint((const uint8_t *)rows[i].seed, strlen(rows[i].seed),
                               (const uint8_t *)rows[i].secret, strlen(rows[i].secret), &name) == 0,
               "row %zu", i);
        expect(strcmp(name.text, rows[i].fingerprint) == 0, "row %zu: %s", i, name.text);
    }
}

/* The length stands before each in four bytes. */
static void a_long_secret_counts_in_full(void **state)
{
    enum { LONG = 0x10203 };
    uint8_t *long_secret = calloc(1, LONG);
    struct key_fingerprint one, other;

    (void)state;
    assert_non_null(long_secret);
    assert_int_equal(key_fingerprint(long_secret, LONG, long_secret, 1, &one), 0);
    assert_string_equal(one.text, "67c65957d10c74e8");
    assert_int_equal(key_fingerprint(long_secret, LONG - 0x100, long_secret, 0x101, &other), 0);
    assert_string_not_equal(one.text, other.text);
    free(long_secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_fingerprints_are_met),
        cmocka_unit_test(a_long_secret_counts_in_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
