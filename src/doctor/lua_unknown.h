/* Values that only the chat server itself can know: whatever is done with one gives another, and is
 * reported once a line. */
#ifndef DOCTOR_LUA_UNKNOWN_H
#define DOCTOR_LUA_UNKNOWN_H

#include <stdint.h>

#include <lua.h>

/* The number of the file that runs. */
extern uint32_t lua_current_file;

/* The line that runs, of the innermost function that has lines; 0: none. */
int lua_current_line(lua_State *state);

/* Makes the kind of value known to a state, and the methods of texts such values. */
void lua_unknown_prepare(lua_State *state);

/* Pushes one, and reports it. Returns 1. */
int lua_unknown_push(lua_State *state);

#endif
