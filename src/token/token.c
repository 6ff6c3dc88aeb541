#include "token/token.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t token_length(const struct token_format *format)
{
    return format->otp_digits + format->nonce_digits + 1 +
           BASE64_ENCODED_LENGTH(hash_size(format->signature_hash));
}

static bool all_digits(const char *text, size_t length)
{
    unsigned char odd = 0; /* as wide as what is looked at: many bytes are looked at together */

    for (size_t i = 0; i < length; i++)
        odd |= (unsigned char)((unsigned char)(text[i] - '0') > 9);
    return odd == 0;
}

int token_parse(const struct token_format *format, const char *text, size_t length,
                struct token *token_r)
{
    size_t digit_count = format->otp_digits + format->nonce_digits;
    const char *signature = text + digit_count + 1;

    if (length != token_length(format) || !all_digits(text, digit_count) ||
        text[digit_count] != ' ')
        return -1;
    token_r->digits = text;
    token_r->digit_count = digit_count;
    token_r->otp = 0;
    for (size_t i = 0; i < format->otp_digits; i++)
        token_r->otp = token_r->otp * 10 + (uint64_t)(text[i] - '0');
    return base64_decode(signature, length - digit_count - 1, token_r->signature,
                         hash_size(format->signature_hash));
}

size_t token_message(const char *digits, size_t digit_count, const char *user, size_t user_length,
                     const char *host, size_t host_length, char *message_r, size_t message_size)
{
    size_t size = digit_count + user_length + 1 + host_length;

    if (size > message_size)
        return 0;
    memcpy(message_r, digits, digit_count);
    message_r += digit_count;
    memcpy(message_r, user, user_length);
    message_r += user_length;
    *message_r++ = '@';
    memcpy(message_r, host, host_length);
    return size;
}

int token_mint(struct token_key *key, const struct token_format *format, const char *user,
               const char *host, int64_t step, const char *nonce, char *text_r)
{
    char message[OTP_DIGITS_MAX + NONCE_DIGITS_MAX + TOKEN_JID_MAX];
    char digits[OTP_DIGITS_MAX + NONCE_DIGITS_MAX + 1];
    uint8_t signature[HASH_SIZE_MAX];
    size_t digit_count = format->otp_digits + format->nonce_digits;
    size_t size;
    uint32_t otp;

    if (token_key_otp(key, step, &otp) != 0)
        return -1;
    snprintf(digits, sizeof(digits), "%0*u%.*s", (int)format->otp_digits, otp,
             (int)format->nonce_digits, nonce);
    size = token_message(digits, digit_count, user, strlen(user), host, strlen(host), message,
                         sizeof(message));
    if (size == 0 || token_key_sign(key, message, size, signature) != 0)
        return -1;
    memcpy(text_r, digits, digit_count);
    text_r[digit_count] = ' ';
    base64_encode(signature, hash_size(format->signature_hash), text_r + digit_count + 1);
    return 0;
}
