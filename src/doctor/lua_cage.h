/*
 * The process that a chat server's Lua runs in: nobody, nothing open but one socket, no way to open
 * more, little time and little memory.
 */
#ifndef DOCTOR_LUA_CAGE_H
#define DOCTOR_LUA_CAGE_H

#include <sys/types.h>

/* The socket's number within. */
enum { CAGE_SOCKET = 3 };

/*
 * Starts a process that shuts itself in and then runs inside(), which must end with _exit().
 * Returns its number, and the other end of its socket in socket_r; or -1.
 */
__attribute__((warn_unused_result)) pid_t lua_cage_start(void (*inside)(void), int *socket_r);

/* Ends it and waits for it. Returns how it ended, as waitpid() has it. */
int lua_cage_end(pid_t process);

#endif
