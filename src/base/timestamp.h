/* RFC 3339 timestamps in UTC, to and from seconds since the epoch. */
#ifndef BASE_TIMESTAMP_H
#define BASE_TIMESTAMP_H

#include <stdint.h>

enum { TIMESTAMP_SIZE = 32 };

/*
 * Reads YYYY-MM-DDTHH:MM:SSZ or the same with an offset (+02:00) in place of Z (RFC 3339
 * section 5.6, no fractions; years 1970 to 9999). Returns 0 and the seconds, or -1 (nothing
 * written) for anything else, impossible dates included.
 */
__attribute__((warn_unused_result)) int timestamp_parse(const char *text, int64_t *seconds_r);

/* Writes seconds as YYYY-MM-DDTHH:MM:SSZ into text and returns text. Out of the years 1000 to
 * 9999: the bare number. */
const char *timestamp_format(int64_t seconds, char text[TIMESTAMP_SIZE]);

#endif
