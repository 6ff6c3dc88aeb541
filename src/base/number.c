#include "base/number.h"

int number_parse(const char *text, size_t length, int64_t *value_r)
{
    int64_t value = 0;

    if (length == 0)
        return -1;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(unsigned char)text[i] - '0';

        if (digit > 9 || value > (INT64_MAX - (int64_t)digit) / 10)
            return -1;
        value = value * 10 + (int64_t)digit;
    }
    *value_r = value;
    return 0;
}
