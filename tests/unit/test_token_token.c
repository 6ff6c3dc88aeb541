/* The token's text: taken apart, put together, and its message. */
#include "vectors.h"

static const struct token_format longest_format = {.otp_digits = OTP_DIGITS_MAX,
                                                   .nonce_digits = NONCE_DIGITS_MAX,
                                                   .interval = 30,
                                                   .window = OTP_WINDOW_MAX,
                                                   .otp_hash = HASH_SHA512,
                                                   .signature_hash = HASH_SHA512};
static const struct token_format shortest_format = {.otp_digits = OTP_DIGITS_MIN,
                                                    .nonce_digits = NONCE_DIGITS_MIN,
                                                    .interval = 1,
                                                    .window = 0,
                                                    .otp_hash = HASH_SHA1,
                                                    .signature_hash = HASH_SHA256};

static const struct {
    const char *name;
    const struct token_format *format;
    size_t length;
} formats[] = {
    {"default", &default_format, 85},
    {"longest", &longest_format, 10 + 64 + 1 + 88},
    {"shortest", &shortest_format, 6 + 16 + 1 + 44},
};

/* A well-formed token of a format: digits 0123456789 over and over, a signature of varied bytes. */
static size_t example_of(const struct token_format *format, char text_r[TOKEN_LENGTH_MAX + 1])
{
    size_t digit_count = format->otp_digits + format->nonce_digits;
    uint8_t signature[HASH_SIZE_MAX];

    for (size_t i = 0; i < digit_count; i++)
        text_r[i] = (char)('0' + (i + 1) % 10);
    for (size_t i = 0; i < sizeof(signature); i++)
        signature[i] = (uint8_t)(i * 37 + 11);
    text_r[digit_count] = ' ';
    base64_encode(signature, hash_size(format->signature_hash), text_r + digit_count + 1);
    return strlen(text_r);
}

static bool parses(const struct token_format *format, const char *text, size_t length,
                   struct token *token_r)
{
    char *exact = exact_copy(text, length);
    struct token token = {0};
    bool parsed = token_parse(format, exact, length, &token) == 0;

    if (parsed) {
        expect(token.digits == exact, "the digits are not borrowed from the text");
        token.digits = NULL;
        *token_r = token;
    }
    free(exact);
    return parsed;
}

static void a_well_formed_token_is_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(formats); i++) {
        const struct token_format *format = formats[i].format;
        char text[TOKEN_LENGTH_MAX + 1];
        size_t length = example_of(format, text);
        struct token token;

        expect(length == formats[i].length, "%s: %zu", formats[i].name, length);
        expect(token_length(format) == length, "%s: %zu", formats[i].name, length);
        expect(parses(format, text, length, &token), "%s: '%s'", formats[i].name, text);
        expect(token.digit_count == format->otp_digits + format->nonce_digits, "%s",
               formats[i].name);
        for (size_t at = 0; at < hash_size(format->signature_hash); at++)
            expect(token.signature[at] == (uint8_t)(at * 37 + 11), "%s: signature byte %zu",
                   formats[i].name, at);
    }
    assert_int_equal(formats[1].length, TOKEN_LENGTH_MAX);
}

static void the_otp_is_the_first_digits_whatever_their_number(void **state)
{
    static const struct {
        unsigned otp_digits;
        const char *digits;
        uint64_t otp;
    } rows[] = {
        {6, "000000", 0},
        {6, "999999", 999999},
        {7, "0000042", 42},
        {8, "07081804", 7081804},
        {8, "99999999", 99999999},
        {9, "999999999", 999999999},
        {10, "2147483647", 2147483647},
        {10, "2147483648", 2147483648},
        {10, "4294967295", 4294967295},
        {10, "4294967296", 4294967296},
        {10, "4294967297", 4294967297},
        {10, "9999999999", 9999999999},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct token_format format = default_format;
        char text[TOKEN_LENGTH_MAX + 1];
        struct token token;
        size_t length;

        format.otp_digits = rows[i].otp_digits;
        length = example_of(&format, text);
        memcpy(text, rows[i].digits, rows[i].otp_digits);
        expect(parses(&format, text, length, &token), "'%s'", text);
        expect(token.otp == rows[i].otp, "%s is read as %llu", rows[i].digits,
               (unsigned long long)token.otp);
    }
}

static void every_other_length_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(formats); i++) {
        char text[TOKEN_LENGTH_MAX + 100];
        size_t right;

        memset(text, '1', sizeof(text));
        right = example_of(formats[i].format, text);
        text[right] = '1';
        for (size_t length = 0; length < sizeof(text); length++) {
            struct token token;
            bool taken = parses(formats[i].format, text, length, &token);

            expect(taken == (length == right), "%s: length %zu", formats[i].name, length);
            /* Cut off at the front instead. */
            if (length < right)
                expect(!parses(formats[i].format, text + right - length, length, &token),
                       "%s: the last %zu bytes", formats[i].name, length);
        }
    }
}

/* What is taken spells its own parts again, byte for byte: there is one text for each token. */
static void every_byte_at_every_place_is_taken_only_where_it_belongs(void **state)
{
    size_t taken = 0;

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(formats); i++) {
        const struct token_format *format = formats[i].format;
        size_t digit_count = format->otp_digits + format->nonce_digits;
        char original[TOKEN_LENGTH_MAX + 1], again[TOKEN_LENGTH_MAX + 1];
        size_t length = example_of(format, original);

        for (size_t at = 0; at < length; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[TOKEN_LENGTH_MAX + 1];
                struct token token;
                bool parsed;

                memcpy(text, original, length + 1);
                text[at] = (char)byte;
                parsed = parses(format, text, length, &token);
                if (at < digit_count)
                    expect(parsed == (byte >= '0' && byte <= '9'), "%s: byte %02x at digit %zu",
                           formats[i].name, byte, at);
                else if (at == digit_count)
                    expect(parsed == (byte == ' '), "%s: byte %02x as the blank", formats[i].name,
                           byte);
                if (!parsed)
                    continue;
                taken++;
                snprintf(again, sizeof(again), "%0*llu", (int)format->otp_digits,
                         (unsigned long long)token.otp);
                memcpy(again + format->otp_digits, text + format->otp_digits, format->nonce_digits);
                again[digit_count] = ' ';
                base64_encode(token.signature, hash_size(format->signature_hash),
                              again + digit_count + 1);
                expect(strcmp(again, text) == 0, "%s: byte %02x at %zu: '%s' is also '%s'",
                       formats[i].name, byte, at, text, again);
            }
        }
    }
    assert_true(taken > 10000);
}

static void odd_shapes_are_refused(void **state)
{
    static const char *const rows[] = {
        /* 85 bytes each, but the last ones. */
        "                                                                                     ",
        "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
        "0708180400000000000000000000000000000000\t5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE=",
        "070818040000000000000000000000000000000  5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE=",
        "07081804000000000000000000000000000000000 HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE=",
        " 708180400000000000000000000000000000000 5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE=",
        "+708180400000000000000000000000000000000 5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE=",
        "-708180400000000000000000000000000000000 5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE=",
        "0x08180400000000000000000000000000000000 5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE=",
        "0708180400000000000000000000000000000000 5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE \n",
        "0708180400000000000000000000000000000000 5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lld-E=",
        "0708180400000000000000000000000000000000 5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lld_E=",
        "0708180400000000000000000000000000000000 5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyEA",
        "0708180400000000000000000000000000000000 5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldy==",
        "5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE= 0708180400000000000000000000000000000000",
        "",
        " ",
        "=",
        "hunter2",
        "0708180400000000000000000000000000000000",
        "0708180400000000000000000000000000000000 ",
        "5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE=",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ",
    };
    static const char right[] =
        "0708180400000000000000000000000000000000 5HZlZGJvb2dpZXdvb2dpZS1ib29naWUtYm9vZ2lldyE=";
    struct token token;

    (void)state;
    assert_int_equal(strlen(right), 85);
    assert_true(parses(&default_format, right, 85, &token));
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(!parses(&default_format, rows[i], strlen(rows[i]), &token), "'%s' is taken",
               rows[i]);
}

static void a_nul_byte_ends_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(formats); i++) {
        char text[2 * TOKEN_LENGTH_MAX] = {0};
        size_t right = example_of(formats[i].format, text);
        struct token token;

        /* A whole token, then NUL bytes: C's strings would end there. */
        for (size_t more = 1; more < 5; more++)
            expect(!parses(formats[i].format, text, right + more, &token), "%s and %zu NUL",
                   formats[i].name, more);
    }
}

static void a_token_of_one_format_is_none_of_another(void **state)
{
    struct token_format format = default_format, other;
    char text[TOKEN_LENGTH_MAX + 1];
    struct token token;

    (void)state;
    /* The same length with a digit moved from the nonce to the OTP can't be told by the shape, so
     * nothing but the exact numbers in both makes the difference: see the moved digit in
     * test_token_attacks. All others differ in length. */
    for (unsigned otp_digits = OTP_DIGITS_MIN; otp_digits <= OTP_DIGITS_MAX; otp_digits++) {
        for (unsigned nonce_digits = NONCE_DIGITS_MIN; nonce_digits <= NONCE_DIGITS_MAX;
             nonce_digits++) {
            other = format;
            other.otp_digits = otp_digits;
            other.nonce_digits = nonce_digits;
            example_of(&other, text);
            expect(parses(&format, text, strlen(text), &token) ==
                       (otp_digits + nonce_digits == 8 + 32),
                   "%u and %u digits", otp_digits, nonce_digits);
        }
    }
    other = format;
    other.signature_hash = HASH_SHA512;
    example_of(&other, text);
    assert_false(parses(&format, text, strlen(text), &token));
}

static void random_bytes_are_refused(void **state)
{
    uint64_t random = 6;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[120];
        size_t length = round % 2 == 0 ? 85 : random_below(&random, sizeof(text));
        struct token token;

        for (size_t i = 0; i < length; i++)
            text[i] = (char)random_next(&random);
        expect(!parses(&default_format, text, length, &token), "round %d", round);
    }
}

static void the_message_is_digits_user_at_host_with_nothing_between(void **state)
{
    char message[32];

    (void)state;
    memset(message, 'x', sizeof(message));
    assert_int_equal(token_message("123456", 6, "alice", 5, "example.org", 11, message, 32), 23);
    assert_memory_equal(message, "123456alice@example.orgxxxxxxxxx", 32);
    assert_int_equal(token_message("", 0, "", 0, "", 0, message, 32), 1);
    assert_memory_equal(message, "@", 1);
    assert_int_equal(token_message("1\0", 2, "a\0b", 3, "c\0", 2, message, 32), 8);
    assert_memory_equal(message, "1\0a\0b@c\0", 8);
}

static void a_message_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 30; size++) {
        char *message = malloc(size + 1);
        size_t written;

        assert_non_null(message);
        message[size] = 'x';
        written = token_message("123456", 6, "alice", 5, "example.org", 11, message, size);
        expect(written == (size >= 23 ? 23 : 0), "size %zu: %zu", size, written);
        expect(message[size] == 'x', "size %zu", size);
        free(message);
    }
}

static void a_jid_of_the_longest_length_is_minted_and_a_longer_one_refused(void **state)
{
    struct token_key *key = key_of(&longest_format, RFC_SEED, "secret");
    char nonce[NONCE_DIGITS_MAX + 1], text[TOKEN_LENGTH_MAX + 1];
    char *user = malloc(TOKEN_JID_MAX + 1);

    (void)state;
    assert_non_null(user);
    memset(nonce, '7', NONCE_DIGITS_MAX);
    nonce[NONCE_DIGITS_MAX] = '\0';
    memset(user, 'u', TOKEN_JID_MAX);
    for (size_t length = TOKEN_JID_MAX - 5; length <= TOKEN_JID_MAX; length++) {
        bool fits = length + 1 + 3 <= TOKEN_JID_MAX;

        user[length] = '\0';
        expect((token_mint(key, &longest_format, user, "h.h", 1, nonce, text) == 0) == fits,
               "user of %zu bytes", length);
        if (fits)
            expect(strlen(text) == TOKEN_LENGTH_MAX, "user of %zu bytes", length);
        user[length] = 'u';
    }
    free(user);
    token_key_destroy(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_well_formed_token_is_taken_apart),
        cmocka_unit_test(the_otp_is_the_first_digits_whatever_their_number),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(every_byte_at_every_place_is_taken_only_where_it_belongs),
        cmocka_unit_test(odd_shapes_are_refused),
        cmocka_unit_test(a_nul_byte_ends_nothing),
        cmocka_unit_test(a_token_of_one_format_is_none_of_another),
        cmocka_unit_test(random_bytes_are_refused),
        cmocka_unit_test(the_message_is_digits_user_at_host_with_nothing_between),
        cmocka_unit_test(a_message_that_does_not_fit_is_refused),
        cmocka_unit_test(a_jid_of_the_longest_length_is_minted_and_a_longer_one_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
