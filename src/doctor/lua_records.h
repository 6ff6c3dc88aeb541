/*
 * What goes over the socket between the process that runs a chat server's Lua and the one that
 * believes little of it. All numbers are 32 bits in this machine's order; a text is its length and
 * its bytes.
 *
 * From the Lua side, each a length (of what follows it) and a letter:
 *
 *     S  file line host key value      a setting; host "" for all
 *     H  file line kind name           a virtual host (kind v) or a component (kind c)
 *     I  file line pattern             Include: answered with a count and so many times
 *                                      file, path, text; or with INCLUDE_FAILED
 *     U  file line                     what only the server itself can know was used here
 *     E  file line kind                the end, by an error: see enum lua_failure
 *     D                                the end, in order
 *
 * A value is a letter and: s text, n text (a number), b and a byte 0 or 1, t count (key value) ...,
 * or u alone: not known.
 */
#ifndef DOCTOR_LUA_RECORDS_H
#define DOCTOR_LUA_RECORDS_H

enum {
    RECORD_MAX = 256 * 1024, /* bytes of one record */
    RECORDS_MAX = 4 << 20,   /* bytes of all */
    VALUE_DEPTH_MAX = 6,
    INCLUDE_FAILED = -1
};

enum lua_failure {
    LUA_FAILED_SYNTAX = 's',
    LUA_FAILED_RUNNING = 'r',
    LUA_FAILED_MEMORY = 'm',
    LUA_FAILED_TIME = 't',
    LUA_FAILED_BYTECODE = 'b',
    LUA_FAILED_INCLUDE = 'i'
};

#endif
