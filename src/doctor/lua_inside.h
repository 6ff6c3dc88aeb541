/* Runs a chat server's Lua, within the cage. */
#ifndef DOCTOR_LUA_INSIDE_H
#define DOCTOR_LUA_INSIDE_H

/* Asks for the first file as if it were included, runs it, and reports what it sets over
 * CAGE_SOCKET. Never returns. */
_Noreturn void lua_inside(void);

#endif
