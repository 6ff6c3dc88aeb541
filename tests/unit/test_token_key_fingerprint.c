/* A key's fingerprint: what is published in tests/vectors, and as long as it must be. */
#include "vectors.h"

#include <dlfcn.h>

#include <openssl/evp.h>

#include "token/key_fingerprint.h"

/* More than any secret of these tests has: nobody has as much memory as is said to be there. */
enum { NOT_READ = 1 << 24 };

int EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t size)
{
    static __typeof__(EVP_DigestUpdate) *real;

    if (size >= NOT_READ)
        return 1;
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "EVP_DigestUpdate");
    return real(context, bytes, size);
}

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

/* Four bytes hold its length: one of 4 GiB would have that of an empty one. */
static void a_secret_whose_length_has_no_room_gives_no_fingerprint(void **state)
{
    static const struct {
        uint64_t seed_size, secret_size;
        int result;
    } rows[] = {
        {UINT32_MAX, 1, 0},
        {1, UINT32_MAX, 0},
        {UINT64_C(1) << 32, 1, -1},
        {1, UINT64_C(1) << 32, -1},
    };
    struct key_fingerprint name;

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        if (rows[i].seed_size > SIZE_MAX || rows[i].secret_size > SIZE_MAX)
            continue;
        expect(key_fingerprint((const uint8_t *)"1", (size_t)rows[i].seed_size,
                               (const uint8_t *)"2", (size_t)rows[i].secret_size,
                               &name) == rows[i].result,
               "row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_fingerprints_are_met),
        cmocka_unit_test(a_long_secret_counts_in_full),
        cmocka_unit_test(a_secret_whose_length_has_no_room_gives_no_fingerprint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
