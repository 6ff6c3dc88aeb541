/* The records that leave the cage (lua_records.h), and what comes into it. A cage whose socket fails
 * ends at once. */
#ifndef DOCTOR_LUA_REPORT_H
#define DOCTOR_LUA_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lua.h>

/* Ends the process: there is nobody to tell. */
_Noreturn void report_end_badly(void);

/* Receives exactly size bytes. */
void report_receive(void *bytes_r, size_t size);
uint32_t report_receive_number(void);

/* Begins a record; what was begun before and not finished is forgotten. */
void report_begin(char letter, uint32_t file, int line);

/* Add to it; false: it does not fit, and part of it may be there. */
bool report_put(const void *bytes, size_t size);
bool report_put_text(const char *text, size_t length);

/* Adds a Lua value, as not known where it does not fit. */
void report_put_value(lua_State *state, int index);

/* Sends it. */
void report_finish(void);

#endif
