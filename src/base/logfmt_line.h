/* Reading back what logfmt.h writes: lines of name=value, quoted where needed. */
#ifndef BASE_LOGFMT_LINE_H
#define BASE_LOGFMT_LINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The value of the first `name=` of a terminated line, without its quotes and with \" and \\ taken
 * back (\xNN stays: what can't be printed is not restored). True and value_r, terminated; false
 * where the line has no such name, or the value does not fit size bytes.
 */
bool logfmt_line_value(const char *line, const char *name, char *value_r, size_t size);

#endif
