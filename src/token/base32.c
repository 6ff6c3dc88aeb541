#include "token/base32.h"

static int digit_value(char character)
{
    if (character >= 'A' && character <= 'Z')
        return character - 'A';
    if (character >= 'a' && character <= 'z')
        return character - 'a';
    if (character >= '2' && character <= '7')
        return character - '2' + 26;
    return -1;
}

/* Cuts the padding off; -1 where there is some, but not up to a multiple of eight. */
static int without_padding(const char *text, size_t *length)
{
    size_t padded = *length;
    size_t bare = padded;

    while (bare > 0 && text[bare - 1] == '=')
        bare--;
    if (bare != padded && (padded % 8 != 0 || padded - bare > 6))
        return -1;
    *length = bare;
    return 0;
}

int base32_decode(const char *text, size_t length, uint8_t *bytes_r, size_t *size_r)
{
    uint32_t bits = 0;
    unsigned bit_count = 0;
    size_t size = 0;

    if (without_padding(text, &length) != 0)
        return -1;
    /* One, three or six characters over hold less than the next whole byte: nothing encodes to
     * that. */
    if (length % 8 == 1 || length % 8 == 3 || length % 8 == 6)
        return -1;
    for (size_t i = 0; i < length; i++) {
        int value = digit_value(text[i]);

        if (value < 0)
            return -1;
        bits = bits << 5 | (uint32_t)value;
        bit_count += 5;
        if (bit_count >= 8) {
            bit_count -= 8;
            bytes_r[size++] = (uint8_t)(bits >> bit_count);
        }
    }
    *size_r = size;
    return 0;
}

void base32_encode(const uint8_t *bytes, size_t size, char *text_r)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint32_t bits = 0;
    unsigned bit_count = 0;

    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | bytes[i];
        for (bit_count += 8; bit_count >= 5; bit_count -= 5)
            *text_r++ = alphabet[bits >> (bit_count - 5) & 31];
    }
    if (bit_count > 0)
        *text_r++ = alphabet[bits << (5 - bit_count) & 31];
    *text_r = '\0';
}
