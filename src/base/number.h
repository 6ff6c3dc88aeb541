/* Strict numbers from text: all of the text or nothing, no sign, no blanks, no overflow. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads length bytes of decimal digits. Returns 0 and the value, or -1 (nothing written) where the
 * text is empty, holds anything but digits, or is above INT64_MAX.
 */
__attribute__((warn_unused_result)) int number_parse(const char *text, size_t length,
                                                     int64_t *value_r);

#endif
