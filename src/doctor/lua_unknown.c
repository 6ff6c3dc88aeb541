#include "doctor/lua_unknown.h"

#include <stddef.h>

#include <lauxlib.h>

#include "doctor/lua_report.h"

static const char metatable_name[] = "unknown";

uint32_t lua_current_file;

/* What was reported last. */
static uint32_t last_file;
static int last_line;

int lua_current_line(lua_State *state)
{
    lua_Debug frame;

    for (int level = 0; lua_getstack(state, level, &frame) != 0; level++) {
        lua_getinfo(state, "l", &frame);
        if (frame.currentline > 0)
            return frame.currentline;
    }
    return 0;
}

static void note_unknown(lua_State *state, uint32_t file)
{
    int line = lua_current_line(state);

    if (line == last_line && file == last_file)
        return;
    last_line = line;
    last_file = file;
    report_begin('U', file, line);
    report_finish();
}

int lua_unknown_push(lua_State *state)
{
    note_unknown(state, lua_current_file);
    lua_newuserdatauv(state, 1, 0);
    luaL_setmetatable(state, metatable_name);
    return 1;
}

void lua_unknown_prepare(lua_State *state)
{
    static const char *const events[] = {
        "__index", "__newindex", "__call", "__concat", "__len",  "__unm",  "__add", "__sub",
        "__mul",   "__div",      "__mod",  "__pow",    "__idiv", "__band", "__bor", "__bxor",
        "__shl",   "__shr",      "__bnot", "__eq",     "__lt",   "__le"};

    luaL_newmetatable(state, metatable_name);
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        lua_pushcfunction(state, lua_unknown_push);
        lua_setfield(state, -2, events[i]);
    }
    lua_pop(state, 1);
    /* And so are the methods of texts. */
    lua_pushliteral(state, "");
    lua_createtable(state, 0, 1);
    lua_pushcfunction(state, lua_unknown_push);
    lua_setfield(state, -2, "__index");
    lua_setmetatable(state, -2);
    lua_pop(state, 1);
}
