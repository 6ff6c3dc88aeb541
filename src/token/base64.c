#include "token/base64.h"

#include <string.h>

#include <openssl/evp.h>

/*
 * The value of each digit and DIGIT besides, which what is no digit lacks: so whether all are digits
 * is known at the end, from one bit.
 */
enum { DIGIT = 64 };
static const uint8_t digits[256] = {
    ['A'] = 64,  ['B'] = 65,  ['C'] = 66,  ['D'] = 67,  ['E'] = 68,  ['F'] = 69,  ['G'] = 70,
    ['H'] = 71,  ['I'] = 72,  ['J'] = 73,  ['K'] = 74,  ['L'] = 75,  ['M'] = 76,  ['N'] = 77,
    ['O'] = 78,  ['P'] = 79,  ['Q'] = 80,  ['R'] = 81,  ['S'] = 82,  ['T'] = 83,  ['U'] = 84,
    ['V'] = 85,  ['W'] = 86,  ['X'] = 87,  ['Y'] = 88,  ['Z'] = 89,  ['a'] = 90,  ['b'] = 91,
    ['c'] = 92,  ['d'] = 93,  ['e'] = 94,  ['f'] = 95,  ['g'] = 96,  ['h'] = 97,  ['i'] = 98,
    ['j'] = 99,  ['k'] = 100, ['l'] = 101, ['m'] = 102, ['n'] = 103, ['o'] = 104, ['p'] = 105,
    ['q'] = 106, ['r'] = 107, ['s'] = 108, ['t'] = 109, ['u'] = 110, ['v'] = 111, ['w'] = 112,
    ['x'] = 113, ['y'] = 114, ['z'] = 115, ['0'] = 116, ['1'] = 117, ['2'] = 118, ['3'] = 119,
    ['4'] = 120, ['5'] = 121, ['6'] = 122, ['7'] = 123, ['8'] = 124, ['9'] = 125, ['+'] = 126,
    ['/'] = 127,
};

/* DIGIT in the places of four digits of 24 bits. */
enum { FOUR_MARKS = (DIGIT << 18) + (DIGIT << 12) + (DIGIT << 6) + DIGIT };

/* The 24 bits of four digits; takes DIGIT out of *marks where one is none. */
static uint32_t read_group(const char *text, uint8_t *marks)
{
    uint8_t a = digits[(unsigned char)text[0]];
    uint8_t b = digits[(unsigned char)text[1]];
    uint8_t c = digits[(unsigned char)text[2]];
    uint8_t d = digits[(unsigned char)text[3]];

    *marks &= a & b & c & d;
    return ((uint32_t)a << 18) + ((uint32_t)b << 12) + ((uint32_t)c << 6) + d - FOUR_MARKS;
}

/* Of the last group, where size is 1 or 2: the padding counts as digits of zero. */
static int decode_last(const char *text, uint8_t *bytes_r, size_t size)
{
    char whole[4] = {'A', 'A', 'A', 'A'};
    uint8_t marks = DIGIT;
    uint32_t group;

    memcpy(whole, text, size + 1);
    group = read_group(whole, &marks);
    if (marks != DIGIT || text[3] != '=' || (size == 1 && text[2] != '='))
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
    uint8_t marks = DIGIT;

    if (length != BASE64_ENCODED_LENGTH(size))
        return -1;
    for (; size >= 3; size -= 3, text += 4, bytes_r += 3) {
        uint32_t group = read_group(text, &marks);

        bytes_r[0] = (uint8_t)(group >> 16);
        bytes_r[1] = (uint8_t)(group >> 8);
        bytes_r[2] = (uint8_t)group;
    }
    if (marks != DIGIT)
        return -1;
    return size == 0 ? 0 : decode_last(text, bytes_r, size);
}

void base64_encode(const uint8_t *bytes, size_t size, char *text_r)
{
    EVP_EncodeBlock((unsigned char *)text_r, bytes, (int)size);
}
