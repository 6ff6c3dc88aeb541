/* Secrets that are worth their name, and those that are not, on both sides of 128 bits. */
#include "vectors.h"

#include "config/strength.h"

static struct secret written(const char *text)
{
    /* Borrowed: the strength rules only look. */
    union {
        const char *text;
        uint8_t *bytes;
    } as = {.text = text};

    return (struct secret){.bytes = as.bytes, .size = strlen(text)};
}

static const char sample[] = "is the published sample, which everybody has";
static const char placeholder[] = "is a placeholder";
static const char is_short[] = "is shorter than 128 bits";
static const char weak[] = "is weaker than 128 bits";

static bool is(const char *weakness, const char *expected)
{
    return weakness == expected ||
           (weakness != NULL && expected != NULL && strcmp(weakness, expected) == 0);
}

static void a_seed_counts_by_its_decoded_bytes(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        const char *weakness;
    } rows[] = {
        {"MFZWIZTHNBVGW3DRO5SXE5DZOU", 16, NULL},
        {"MFZWIZTHNBVGW3DRO5SXE5DZ", 15, is_short},
        {"MFZWIZTHNBVGW3DR", 10, is_short},
        {"ME", 1, is_short},
        {"MFZWIZTHNBVGW3DRO5SXE5DZOVUW64DBMFZWIZTHNBVGW3DRO5SXE5DZOVUW64DB", 40, NULL},
        {"XVGR73KMZH2M4XMY", 10, sample},
        {"xvgr73kmzh2m4xmy", 10, sample},
        {"JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7", 20, sample},
        /* All but one character of a sample: not the sample, and weak by its length. */
        {"XVGR73KMZH2M4XMZ", 10, is_short},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 20, placeholder},
        {"ABCDABCDABCDABCDABCDABCDABCDABCD", 20, placeholder},
        {"ABCDEABCDEABCDEABCDEABCDEABCDEAB", 20, NULL}, /* five letters: cheap, and not provable */
        {"CHANGEMEMFZWIZTHNBVGW3DRO5SXE5DZ", 20, placeholder},
        {"MFZWIZTHNBVGW3DRO5exampleSXE5DZO", 20, placeholder},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct secret secret = written(rows[i].text);
        const char *weakness = otp_seed_weakness(&secret, rows[i].size);

        expect(is(weakness, rows[i].weakness), "%s: %s", rows[i].text,
               weakness == NULL ? "good" : weakness);
    }
}

static void a_token_secret_counts_by_the_alphabet_that_it_uses(void **state)
{
    static const struct {
        const char *text;
        const char *weakness;
    } rows[] = {
        /* 26 of base32: 130 bits. */
        {"MFZWIZTHNBVGW3DRO5SXE5DZOU", NULL},
        {"MFZWIZTHNBVGW3DRO5SXE5DZO", weak},
        {"mfzwizthnbvgw3dro5sxe5dzou", NULL},
        {"mfzwizthnbvgw3dro5sxe5dzo", weak},
        /* Both cases are more than base32. */
        {"mFZWIZTHNBVGW3DRO5SXE5D", NULL},
        /* 32 of hexadecimal: 128 bits. */
        {"3f9a1c5e7b2d4806af1e3c5b7d9e2f4a", NULL},
        {"3f9a1c5e7b2d4806af1e3c5b7d9e2f4", weak},
        {"3F9A1C5E7B2D4806AF1E3C5B7D9E2F4A", NULL},
        {"3F9A1C5E7B2D4806AF1E3C5B7D9E2F4", weak},
        {"31415926535897932384626433832795", NULL},
        {"3141592653589793238462643383279", weak},
        /* 22 of anything else: 132 bits. */
        {"gT4mW9xQz2Lr7VbN5kYc8H", NULL},
        {"gT4mW9xQz2Lr7VbN5kYc8", weak},
        {"gT4mW9", weak},
        {"x", weak},
        /* A digit that base32 does not have. */
        {"MFZWIZTHNBVGW3DRO5SX81", NULL},
        {"MFZWIZTHNBVGW3DRO5SX8", weak},
        {"XVGR73KMZH2M4XMY", sample},
        {"JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7", sample},
        {"jyxex4iqoeyfyq2s3mc5p4zt4sdhyea7", sample},
        {"JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7x", NULL},
        {"change-me-to-something-random", placeholder},
        {"ChAnGe9xQz2Lr7VbN5kYc8HdJ", placeholder},
        {"your-secret-goes-here-0123456789", placeholder},
        {"mypassword-gT4mW9xQz2Lr7VbN5kYc8HdJ", placeholder},
        {"insert9xQz2Lr7VbN5kYc8HdJ", placeholder},
        {"replace9xQz2Lr7VbN5kYc8HdJ", placeholder},
        {"gT4mW9xQz2Lr7VbN5kyourkey", placeholder},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", placeholder},
        {"abababababababababababababababab", placeholder},
        {"12341234123412341234123412341234", placeholder},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct secret secret = written(rows[i].text);
        const char *weakness = token_secret_weakness(&secret);

        expect(is(weakness, rows[i].weakness), "%s: %s", rows[i].text,
               weakness == NULL ? "good" : weakness);
    }
}

static void a_secret_with_a_nul_byte_is_looked_at_whole(void **state)
{
    char text[] = "abc\0efghijklmnopqrstuvwxyz";
    struct secret secret = {.bytes = (uint8_t *)text, .size = sizeof(text) - 1};

    (void)state;
    assert_null(token_secret_weakness(&secret)); /* 26 bytes at 6 bits: NUL is not of base32 */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_counts_by_its_decoded_bytes),
        cmocka_unit_test(a_token_secret_counts_by_the_alphabet_that_it_uses),
        cmocka_unit_test(a_secret_with_a_nul_byte_is_looked_at_whole),
    };

    return cmocka_run_group_tests_name("config/strength", tests, NULL, NULL);
}
