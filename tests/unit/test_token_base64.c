/* Base64, as signatures are written: RFC 4648 sections 4 and 10, one spelling and no other. */
#include "vectors.h"

#include "token/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648 section 10. */
static const struct {
    const char *bytes, *text;
} rfc_rows[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static bool is_refused(const char *text, size_t length, size_t size)
{
    char *exact = exact_copy(text, length);
    uint8_t *bytes = malloc(size + 1);
    bool refused;

    assert_non_null(bytes);
    refused = base64_decode(exact, length, bytes, size) == -1;
    free(bytes);
    free(exact);
    return refused;
}

static void rfc_4648_vectors_decode_and_encode(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rfc_rows); i++) {
        size_t size = strlen(rfc_rows[i].bytes);
        uint8_t bytes[8];
        char text[16];

        expect(base64_decode(rfc_rows[i].text, strlen(rfc_rows[i].text), bytes, size) == 0, "'%s'",
               rfc_rows[i].text);
        expect(memcmp(bytes, rfc_rows[i].bytes, size) == 0, "'%s'", rfc_rows[i].text);
        base64_encode((const uint8_t *)rfc_rows[i].bytes, size, text);
        expect(strcmp(text, rfc_rows[i].text) == 0, "'%s' is encoded as '%s'", rfc_rows[i].bytes,
               text);
        expect(strlen(text) == BASE64_ENCODED_LENGTH(size), "'%s'", rfc_rows[i].bytes);
    }
}

static void bytes_of_every_size_come_back_the_same(void **state)
{
    uint64_t random = 2;

    (void)state;
    for (size_t size = 0; size <= 70; size++) {
        uint8_t bytes[70], again[70];
        char text[100];

        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)random_next(&random);
        base64_encode(bytes, size, text);
        expect(strlen(text) == BASE64_ENCODED_LENGTH(size), "size %zu", size);
        expect(base64_decode(text, strlen(text), again, size) == 0, "size %zu", size);
        expect(memcmp(bytes, again, size) == 0, "size %zu", size);
    }
}

static void only_the_exact_length_is_taken(void **state)
{
    char text[200];

    (void)state;
    memset(text, 'A', sizeof(text));
    for (size_t size = 0; size <= 66; size++) {
        for (size_t length = 0; length <= 100; length++) {
            /* Where size is a multiple of three no padding is due and all A is right. */
            bool right = length == (size + 2) / 3 * 4 && size % 3 == 0;

            expect(is_refused(text, length, size) == !right, "length %zu for %zu bytes", length,
                   size);
        }
    }
}

/* Which value a character has; 64 for none. */
static unsigned value_of(char character)
{
    const char *at = character == '\0' ? NULL : strchr(alphabet, character);

    return at == NULL ? 64 : (unsigned)(at - alphabet);
}

static void every_byte_at_every_place_is_judged_by_the_standard(void **state)
{
    static const size_t sizes[] = {1, 2, 3, 20, 32, 64};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        size_t size = sizes[i];
        size_t length = BASE64_ENCODED_LENGTH(size);
        size_t padding = (3 - size % 3) % 3;
        size_t last = length - padding - 1; /* the character that has leftover bits */
        unsigned leftover = padding == 0 ? 0 : padding == 1 ? 3 : 15;
        uint8_t bytes[64] = {0};
        char original[100];

        base64_encode(bytes, size, original);
        for (size_t at = 0; at < length; at++) {
            for (int byte = 0; byte < 256; byte++) {
                unsigned value = value_of((char)byte);
                bool right = at > last    ? byte == '='
                             : at == last ? value < 64 && (value & leftover) == 0
                                          : value < 64;
                char text[100];

                memcpy(text, original, length + 1);
                text[at] = (char)byte;
                expect(is_refused(text, length, size) == !right, "byte %02x at %zu of %zu bytes",
                       byte, at, size);
            }
        }
    }
}

/* Section 3.5: a decoder that ignores the leftover bits takes several texts for the same bytes. */
static void other_spellings_of_the_same_bytes_are_refused(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } rows[] = {
        {"Zh==", 1},     {"Zp==", 1},  {"Zv==", 1},         {"Zm9=", 2},     {"Zm+=", 2},
        {"Zm/=", 2},     {"Zg", 1},    {"Zg=", 1},          {"Zg===", 1},    {"Zg= =", 1},
        {"Zm8", 2},      {"Zm8==", 2}, {"Zm9v====", 3},     {"Zm9v=", 3},    {"Zm9v\n", 3},
        {"Zm9v\r\n", 3}, {" Zm9v", 3}, {"Zm 9v", 3},        {"Zm9v ", 3},    {"Zm9vYg\n==", 4},
        {"=Zg=", 1},     {"Z=g=", 1},  {"====", 1},         {"====", 2},     {"====", 0},
        {"Z===", 1},     {"Zg=A", 1},  {"Zm9vYg==Zg==", 5}, {"-_-_", 3},     {"Zm-v", 3},
        {"Zm_v", 3},     {"Zm,v", 3},  {"Zm\xc2\xa0", 3},   {"Zg%3D%3D", 1},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(is_refused(rows[i].text, strlen(rows[i].text), rows[i].size), "row %zu: '%s'", i,
               rows[i].text);
    assert_true(is_refused("Zm\0v", 4, 3));
}

/* Of all four-character texts over a hostile alphabet, each byte string has one. */
static void each_byte_string_has_exactly_one_spelling(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 2; size++) {
        size_t strings = size == 1 ? 256 : 65536;
        uint8_t *seen = calloc(strings, 1);
        size_t taken = 0;

        assert_non_null(seen);
        for (unsigned group = 0; group < 65u * 65 * 65; group++) {
            static const char with_padding[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
            const char text[4] = {with_padding[group / (65 * 65)], with_padding[group / 65 % 65],
                                  with_padding[group % 65], '='};
            uint8_t bytes[3];

            if (base64_decode(text, 4, bytes, size) != 0)
                continue;
            taken++;
            expect(++seen[size == 1 ? bytes[0] : bytes[0] * 256 + bytes[1]] == 1,
                   "%.4s is a second spelling", text);
        }
        assert_int_equal(taken, strings);
        free(seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_4648_vectors_decode_and_encode),
        cmocka_unit_test(bytes_of_every_size_come_back_the_same),
        cmocka_unit_test(only_the_exact_length_is_taken),
        cmocka_unit_test(every_byte_at_every_place_is_judged_by_the_standard),
        cmocka_unit_test(other_spellings_of_the_same_bytes_are_refused),
        cmocka_unit_test(each_byte_string_has_exactly_one_spelling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
