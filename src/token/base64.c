#include "token/base64.h"

#include <openssl/evp.h>

/* One more than the value of each digit, so that 0 marks what is no digit. */
static const uint8_t digit_plus_one[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

/* Reads count digits into the high bits of a 24-bit group; -1 where one is no digit. */
static int32_t read_group(const char *text, unsigned count)
{
    uint32_t group = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint8_t value = i < count ? digit_plus_one[(unsigned char)text[i]] : 1;

        if (value == 0)
            return -1;
        group = group << 6 | (uint32_t)(value - 1);
    }
    return (int32_t)group;
}

static int decode_last(const char *text, uint8_t *bytes_r, size_t size)
{
    int32_t group = read_group(text, (unsigned)size + 1);

    if (group < 0 || text[3] != '=' || (size == 1 && text[2] != '='))
        return -1;
    if ((group & (size == 1 ? 0xffff : 0xff)) != 0)
        return -1;
    bytes_r[0] = (uint8_t)(group >> 16);
    if (size == 2)
        bytes_r[1] = (uint8_t)(group >> 8);
    return 0;
}

int base64_decode(const char *text, size_t length, uint8_t *bytes_r, size_t size)
{
    if (length != BASE64_ENCODED_LENGTH(size))
        return -1;
    for (; size >= 3; size -= 3, text += 4, bytes_r += 3) {
        int32_t group = read_group(text, 4);

        if (group < 0)
            return -1;
        bytes_r[0] = (uint8_t)(group >> 16);
        bytes_r[1] = (uint8_t)(group >> 8);
        bytes_r[2] = (uint8_t)group;
    }
    return size == 0 ? 0 : decode_last(text, bytes_r, size);
}

void base64_encode(const uint8_t *bytes, size_t size, char *text_r)
{
    EVP_EncodeBlock((unsigned char *)text_r, bytes, (int)size);
}
