#include "ctl/token_shape.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "token/token.h"

static size_t count_digits(const char *text, size_t length)
{
    size_t count = 0;

    while (count < length && text[count] >= '0' && text[count] <= '9')
        count++;
    return count;
}

/* What is wrong with the digits and the space behind them; false: nothing, or not worth saying. */
static bool explain_digits(const struct token_format *format, const char *text, size_t length,
                           char text_r[TOKEN_SHAPE_SIZE])
{
    size_t wanted = format->otp_digits + format->nonce_digits;
    size_t digits = count_digits(text, length);
    bool spaced = digits < length && text[digits] == ' ';

    text_r[0] = '\0';
    if (digits == length || (spaced && digits == wanted))
        return false;
    if (spaced)
        snprintf(text_r, TOKEN_SHAPE_SIZE,
                 "%zu digits before the space instead of %zu, %u of the OTP and %u of the nonce "
                 "(otp_digits, nonce_digits)",
                 digits, wanted, format->otp_digits, format->nonce_digits);
    else if (digits < wanted)
        snprintf(text_r, TOKEN_SHAPE_SIZE, "no digit at column %zu", digits + 1);
    else
        snprintf(text_r, TOKEN_SHAPE_SIZE, "no space at column %zu", wanted + 1);
    return true;
}

const char *token_shape_explain(const struct token_format *format, const char *text, size_t length,
                                char text_r[TOKEN_SHAPE_SIZE])
{
    char digits[TOKEN_SHAPE_SIZE];
    bool odd_digits = explain_digits(format, text, length, digits);

    if (length != token_length(format))
        snprintf(text_r, TOKEN_SHAPE_SIZE, "length %zu instead of %zu%s%.200s", length,
                 token_length(format), odd_digits ? "; " : "", digits);
    else if (odd_digits)
        memcpy(text_r, digits, sizeof(digits));
    else if (count_digits(text, length) == length)
        snprintf(text_r, TOKEN_SHAPE_SIZE, "no space at column %u",
                 format->otp_digits + format->nonce_digits + 1);
    else
        snprintf(text_r, TOKEN_SHAPE_SIZE,
                 "what follows the space is not the base64 of %zu bytes in its one canonical "
                 "spelling (RFC 4648: padded, not the URL alphabet)",
                 hash_size(format->signature_hash));
    return text_r;
}
