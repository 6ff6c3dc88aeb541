/* Base32, as TOTP seeds are written: RFC 4648 sections 6 and 10, and what people paste. */
#include "vectors.h"

/* RFC 4648 section 10. */
static const struct {
    const char *bytes, *text;
} rfc_rows[] = {
    {"", ""},
    {"f", "MY======"},
    {"fo", "MZXQ===="},
    {"foo", "MZXW6==="},
    {"foob", "MZXW6YQ="},
    {"fooba", "MZXW6YTB"},
    {"foobar", "MZXW6YTBOI======"},
};

static bool decodes_to(const char *text, size_t length, const char *bytes, size_t size)
{
    char *exact = exact_copy(text, length);
    /* As large as the header asks for, and one byte that must stay as it is. */
    uint8_t *decoded = malloc(BASE32_DECODED_SIZE(length) + 1);
    size_t decoded_size = 0;
    bool same;

    assert_non_null(decoded);
    decoded[BASE32_DECODED_SIZE(length)] = 0x5a;
    same = base32_decode(exact, length, decoded, &decoded_size) == 0 && decoded_size == size &&
           memcmp(decoded, bytes, size) == 0;
    assert_int_equal(decoded[BASE32_DECODED_SIZE(length)], 0x5a);
    free(decoded);
    free(exact);
    return same;
}

static bool is_refused(const char *text, size_t length)
{
    char *exact = exact_copy(text, length);
    uint8_t *decoded = malloc(BASE32_DECODED_SIZE(length) + 1);
    size_t size;
    bool refused;

    assert_non_null(decoded);
    refused = base32_decode(exact, length, decoded, &size) == -1;
    free(decoded);
    free(exact);
    return refused;
}

static void rfc_4648_vectors_decode(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rfc_rows); i++)
        expect(decodes_to(rfc_rows[i].text, strlen(rfc_rows[i].text), rfc_rows[i].bytes,
                          strlen(rfc_rows[i].bytes)),
               "'%s'", rfc_rows[i].text);
}

static void rfc_4648_vectors_decode_without_padding_and_in_lower_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rfc_rows); i++) {
        char text[32];
        size_t bare = strcspn(rfc_rows[i].text, "=");
        size_t size = strlen(rfc_rows[i].bytes);

        copy_text(text, rfc_rows[i].text);
        expect(decodes_to(text, bare, rfc_rows[i].bytes, size), "'%s' bare", text);
        for (size_t at = 0; at < bare; at++) {
            if (text[at] >= 'A')
                text[at] = (char)(text[at] + ('a' - 'A'));
            expect(decodes_to(text, bare, rfc_rows[i].bytes, size), "'%s' bare", text);
            expect(decodes_to(text, strlen(text), rfc_rows[i].bytes, size), "'%s' padded", text);
        }
    }
}

static void rfc_4648_vectors_encode_unpadded(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rfc_rows); i++) {
        size_t size = strlen(rfc_rows[i].bytes);
        char text[32], expected[32];

        copy_text(expected, rfc_rows[i].text);
        expected[strcspn(expected, "=")] = '\0';
        base32_encode((const uint8_t *)rfc_rows[i].bytes, size, text);
        expect(strcmp(text, expected) == 0, "'%s' is encoded as '%s'", rfc_rows[i].bytes, text);
        expect(BASE32_ENCODED_LENGTH(size) == strlen(expected), "'%s'", rfc_rows[i].bytes);
    }
}

static void bytes_of_every_size_come_back_the_same(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (size_t size = 0; size <= 130; size++) {
        char bytes[130], text[260];

        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)random_next(&random);
        base32_encode((const uint8_t *)bytes, size, text);
        expect(strlen(text) == BASE32_ENCODED_LENGTH(size), "size %zu", size);
        expect(decodes_to(text, strlen(text), bytes, size), "size %zu", size);
    }
}

static void only_the_alphabets_characters_count(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        bool digit = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                     (byte >= '2' && byte <= '7');

        for (size_t at = 0; at < 8; at++) {
            char text[] = "MZXW6YTB";

            text[at] = (char)byte;
            if (at == 7 && byte == '=')
                continue; /* padding, rightly placed */
            expect(is_refused(text, 8) == !digit, "byte %02x at %zu", byte, at);
        }
    }
}

static void lengths_that_no_bytes_encode_to_are_refused(void **state)
{
    (void)state;
    for (size_t length = 0; length <= 80; length++) {
        char text[81];
        bool impossible = length % 8 == 1 || length % 8 == 3 || length % 8 == 6;

        memset(text, 'A', sizeof(text));
        expect(is_refused(text, length) == impossible, "length %zu", length);
    }
}

static void padding_is_complete_or_absent(void **state)
{
    static const char *const refused[] = {"=",
                                          "==",
                                          "========",
                                          "=======A",
                                          "A=======",
                                          "MY=",
                                          "MY==",
                                          "MY===",
                                          "MY====",
                                          "MY=====",
                                          "MY=======",
                                          "MY========",
                                          "MZXQ=",
                                          "MZXQ===",
                                          "MZXQ=====",
                                          "MZXW6=",
                                          "MZXW6==",
                                          "MZXW6YQ==",
                                          "MZXW6YTB=",
                                          "MZXW6YTB========",
                                          "MZXW6YTBO=======",
                                          "MY======MY======",
                                          "M=Y=====",
                                          "=MY=====",
                                          "MY==== =",
                                          "MZX=====",
                                          "MZXW6Y==",
                                          "MZXW6YTBOI=====",
                                          "MY======\n",
                                          "MZXW 6YQ",
                                          "MZXW-6YQ",
                                          "MZXW6YQ\r\n",
                                          "MZXW6YTB MZXW6YTB"};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(refused); i++)
        expect(is_refused(refused[i], strlen(refused[i])), "'%s' is taken", refused[i]);
}

/* pyotp takes such seeds, so they stand in web applications' settings. */
static void leftover_bits_are_ignored_as_minters_ignore_them(void **state)
{
    static const struct {
        const char *text, *bytes;
    } rows[] = {
        {"MY", "f"},          {"MZ", "f"},         {"M2", "f"},       {"M3", "f"},
        {"M4", "g"},          {"M7", "g"},         {"MZ======", "f"}, {"m3======", "f"},
        {"MZXW6YR=", "foob"}, {"mzxw6yx", "foob"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(decodes_to(rows[i].text, strlen(rows[i].text), rows[i].bytes, strlen(rows[i].bytes)),
               "'%s'", rows[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_4648_vectors_decode),
        cmocka_unit_test(rfc_4648_vectors_decode_without_padding_and_in_lower_case),
        cmocka_unit_test(rfc_4648_vectors_encode_unpadded),
        cmocka_unit_test(bytes_of_every_size_come_back_the_same),
        cmocka_unit_test(only_the_alphabets_characters_count),
        cmocka_unit_test(lengths_that_no_bytes_encode_to_are_refused),
        cmocka_unit_test(padding_is_complete_or_absent),
        cmocka_unit_test(leftover_bits_are_ignored_as_minters_ignore_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
