/* What xmpp-authctl says of a text that is no token: where to look, and nothing of the text itself.
 */
#include "vectors.h"

#include "ctl/token_shape.h"

#define DIGITS_40 "0123456789012345678901234567890123456789"
#define BASE64_43 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define TOKEN     DIGITS_40 " " BASE64_43 "="

static const struct {
    const char *name;
    const char *text;
    const char *expected; /* all of it, or with ... at its end the beginning */
} shapes[] = {
    {"empty", "", "length 0 instead of 85"},
    {"one digit", "1", "length 1 instead of 85"},
    {"digits alone", DIGITS_40, "length 40 instead of 85"},
    {"a letter first", "x", "length 1 instead of 85; no digit at column 1"},
    {"one byte too many", TOKEN "=", "length 86 instead of 85"},
    {"padding cut off", DIGITS_40 " " BASE64_43, "length 84 instead of 85"},
    {"a digit too few", "123456789012345678901234567890123456789 " BASE64_43 "=",
     "length 84 instead of 85; 39 digits before the space instead of 40, 8 of the OTP and 32 of "
     "the nonce (otp_digits, nonce_digits)"},
    {"a digit too many, a character too few", DIGITS_40 "0 " BASE64_43,
     "41 digits before the space instead of 40, 8 of the OTP and 32 of the nonce (otp_digits, "
     "nonce_digits)"},
    {"a letter among the digits", "01234567x9012345678901234567890123456789 " BASE64_43 "=",
     "no digit at column 9"},
    {"a blank in front", " " DIGITS_40 " " BASE64_43,
     "0 digits before the space instead of 40, 8 of the OTP and 32 of the nonce (otp_digits, "
     "nonce_digits)"},
    {"a tab for the space", DIGITS_40 "\t" BASE64_43 "=", "no space at column 41"},
    {"nothing for the space", DIGITS_40 "+" BASE64_43 "=", "no space at column 41"},
    {"85 digits", DIGITS_40 DIGITS_40 "01234", "no space at column 41"},
    {"the URL alphabet",
     DIGITS_40 " "
               "-_ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
     "what follows the space is not the base64 of 32 bytes..."},
    {"another spelling of the same bytes",
     DIGITS_40 " "
               "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
     "what follows the space is not the base64 of 32 bytes..."},
    {"two spaces", DIGITS_40 "  AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
     "what follows the space is not the base64 of 32 bytes..."},
};

static bool is_expected(const char *text, const char *expected)
{
    size_t length = strlen(expected);

    if (length > 3 && strcmp(expected + length - 3, "...") == 0)
        return strncmp(text, expected, length - 3) == 0;
    return strcmp(text, expected) == 0;
}

static void every_shape_is_named(void **state)
{
    char text[TOKEN_SHAPE_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(shapes); i++) {
        struct token token;

        expect(token_parse(&default_format, shapes[i].text, strlen(shapes[i].text), &token) != 0,
               "%s: the row holds a token", shapes[i].name);
        token_shape_explain(&default_format, shapes[i].text, strlen(shapes[i].text), text);
        expect(is_expected(text, shapes[i].expected), "%s: %s", shapes[i].name, text);
    }
}

/* Every byte in every place: something is always said, and the odd byte itself is not in it. */
static void no_byte_of_the_text_is_repeated(void **state)
{
    char token[] = TOKEN;
    char text[TOKEN_SHAPE_SIZE];
    struct token parsed;

    (void)state;
    for (size_t at = 0; at < sizeof(TOKEN) - 1; at++) {
        for (int byte = 1; byte < 256; byte++) {
            token[at] = (char)byte;
            if (token_parse(&default_format, token, sizeof(TOKEN) - 1, &parsed) == 0)
                continue;
            token_shape_explain(&default_format, token, sizeof(TOKEN) - 1, text);
            expect(text[0] != '\0', "byte %d at %zu: nothing said", byte, at);
            expect(strstr(text, "01234567") == NULL && strstr(text, "AAECAw") == NULL &&
                       (byte < 0x80 || strchr(text, byte) == NULL),
                   "byte %d at %zu: %s", byte, at, text);
        }
        token[at] = TOKEN[at];
    }
}

/* The host's own format counts, the longest one too. */
static void lengths_are_those_of_the_format(void **state)
{
    static const struct token_format longest = {.otp_digits = OTP_DIGITS_MAX,
                                                .nonce_digits = NONCE_DIGITS_MAX,
                                                .interval = 30,
                                                .window = 1,
                                                .otp_hash = HASH_SHA512,
                                                .signature_hash = HASH_SHA512};
    char text[TOKEN_SHAPE_SIZE];

    (void)state;
    token_shape_explain(&longest, TOKEN, sizeof(TOKEN) - 1, text);
    expect(strcmp(text, "length 85 instead of 163; 40 digits before the space instead of 74, 10 of "
                        "the OTP and 64 of the nonce (otp_digits, nonce_digits)") == 0,
           "%s", text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_is_named),
        cmocka_unit_test(no_byte_of_the_text_is_repeated),
        cmocka_unit_test(lengths_are_those_of_the_format),
    };

    return cmocka_run_group_tests_name("ctl/token_shape", tests, NULL, NULL);
}
