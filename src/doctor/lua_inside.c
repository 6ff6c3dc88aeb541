#include "doctor/lua_inside.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lua.h>

#include "doctor/lua_records.h"
#include "doctor/lua_report.h"
#include "doctor/lua_unknown.h"

enum {
    MEMORY_MAX = 64 << 20,
    INSTRUCTIONS_MAX = 10 * 1000 * 1000,
    HOOK_EVERY = 1000,
    FILES_DEPTH_MAX = 8,
    NAME_MAX_BYTES = 1024
};

/* One file's text while it runs: each has a current host of its own, as in Prosody. */
struct scope {
    uint32_t file;
    char host[NAME_MAX_BYTES];
    int depth;
};

/* One process, one script: what is needed everywhere. */
static struct {
    size_t memory;
    long instructions;
    int failure; /* an enum lua_failure */
    int line;    /* where it failed */
} lua;

/* Only these leave the cage: a configuration is full of other people's passwords. */
static const char *const wanted[] = {"authentication",
                                     "plugin_paths",
                                     "modules_enabled",
                                     "modules_disabled",
                                     "c2s_require_encryption",
                                     "allow_unencrypted_plain_auth",
                                     "disable_sasl_mechanisms",
                                     "insecure_sasl_mechanisms",
                                     "enabled",
                                     "prosody_user",
                                     "xmpp_authd_socket",
                                     "xmpp_authd_connections",
                                     "xmpp_authd_mechanisms",
                                     "xmpp_authd_allow_unencrypted",
                                     "external_auth_command",
                                     "external_auth_protocol",
                                     "external_auth_processes",
                                     "external_auth_blocking"};

static struct scope *scope_of(lua_State *state)
{
    return lua_touserdata(state, lua_upvalueindex(1));
}

static _Noreturn void fail(lua_State *state, enum lua_failure failure)
{
    if (lua.failure == 0)
        lua.failure = (int)failure;
    lua_pushnil(state);
    lua_error(state);
    report_end_badly();
}

static void report_setting(lua_State *state, const struct scope *scope, const char *key, int value)
{
    report_begin('S', scope->file, lua_current_line(state));
    report_put_text(scope->host, strlen(scope->host));
    report_put_text(key, strlen(key));
    report_put_value(state, value);
    report_finish();
}

static void take_setting(lua_State *state, const struct scope *scope, int key, int value)
{
    if (lua_type(state, key) != LUA_TSTRING)
        return;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (strcmp(lua_tostring(state, key), wanted[i]) == 0)
            report_setting(state, scope, wanted[i], lua_absindex(state, value));
    }
}

/* --- Prosody's words */

/* A host's name in lower case. */
static void copy_name(lua_State *state, int index, char name_r[NAME_MAX_BYTES])
{
    size_t length = 0;
    const char *text = "";

    if (lua_type(state, index) == LUA_TSTRING)
        text = lua_tolstring(state, index, &length);
    if (length == 0 || length >= NAME_MAX_BYTES || strlen(text) != length)
        fail(state, LUA_FAILED_RUNNING);
    memcpy(name_r, text, length + 1);
    for (char *at = name_r; *at != '\0'; at++) {
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    }
}

static int take_options(lua_State *state)
{
    struct scope *scope = scope_of(state);

    if (lua_type(state, 1) == LUA_TSTRING) { /* a component's module */
        lua_pushvalue(state, lua_upvalueindex(1));
        lua_pushcclosure(state, take_options, 1);
        return 1;
    }
    if (lua_type(state, 1) != LUA_TTABLE)
        fail(state, LUA_FAILED_RUNNING);
    for (lua_pushnil(state); lua_next(state, 1) != 0; lua_pop(state, 1))
        take_setting(state, scope, lua_gettop(state) - 1, lua_gettop(state));
    scope->host[0] = '\0';
    return 0;
}

static int begin_host(lua_State *state, char kind)
{
    struct scope *scope = scope_of(state);

    copy_name(state, 1, scope->host);
    report_begin('H', scope->file, lua_current_line(state));
    report_put(&kind, 1);
    report_put_text(scope->host, strlen(scope->host));
    report_finish();
    lua_pushvalue(state, lua_upvalueindex(1));
    lua_pushcclosure(state, take_options, 1);
    return 1;
}

static int begin_virtual_host(lua_State *state)
{
    return begin_host(state, 'v');
}

static int begin_component(lua_State *state)
{
    return begin_host(state, 'c');
}

static int set_global(lua_State *state)
{
    take_setting(state, scope_of(state), 2, 3);
    return 0;
}

/* Prosody looks names up among Lua's own. Settings are not found there. */
static int get_global(lua_State *state)
{
    static const char *const libraries[] = {"os",
                                            "io",
                                            "string",
                                            "table",
                                            "math",
                                            "require",
                                            "print",
                                            "pairs",
                                            "ipairs",
                                            "next",
                                            "type",
                                            "tostring",
                                            "tonumber",
                                            "select",
                                            "pcall",
                                            "xpcall",
                                            "error",
                                            "assert",
                                            "load",
                                            "dofile",
                                            "loadfile",
                                            "setmetatable",
                                            "getmetatable",
                                            "rawget",
                                            "rawset",
                                            "rawlen",
                                            "rawequal",
                                            "unpack",
                                            "utf8",
                                            "coroutine",
                                            "debug",
                                            "package",
                                            "_G",
                                            "_VERSION",
                                            "prosody",
                                            "RunScript",
                                            "collectgarbage",
                                            "loadstring"};
    const char *name = lua_tostring(state, 2);

    for (size_t i = 0; name != NULL && i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        if (strcmp(name, libraries[i]) == 0)
            return lua_unknown_push(state);
    }
    return name != NULL && strncmp(name, "ENV_", 4) == 0 ? lua_unknown_push(state) : 0;
}

static void run_files(lua_State *state, int depth);

static int include(lua_State *state)
{
    const struct scope *scope = scope_of(state);
    uint32_t file = lua_current_file;
    size_t length = 0;
    const char *pattern =
        lua_type(state, 1) == LUA_TSTRING ? lua_tolstring(state, 1, &length) : NULL;

    if (pattern == NULL || scope->depth >= FILES_DEPTH_MAX)
        fail(state, LUA_FAILED_RUNNING);
    report_begin('I', scope->file, lua_current_line(state));
    if (!report_put_text(pattern, length))
        fail(state, LUA_FAILED_RUNNING);
    report_finish();
    run_files(state, scope->depth + 1);
    lua_current_file = file;
    return 0;
}

/* --- files */

static void add_function(lua_State *state, struct scope *scope, const char *name,
                         lua_CFunction function)
{
    lua_pushlightuserdata(state, scope);
    lua_pushcclosure(state, function, 1);
    lua_setfield(state, -2, name);
}

/* Leaves a table of globals on the stack. */
static void push_environment(lua_State *state, struct scope *scope)
{
    static const struct luaL_Reg words[] = {{"VirtualHost", begin_virtual_host},
                                            {"Host", begin_virtual_host},
                                            {"host", begin_virtual_host},
                                            {"Component", begin_component},
                                            {"component", begin_component},
                                            {"Include", include},
                                            {"include", include}};

    lua_newtable(state);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        add_function(state, scope, words[i].name, words[i].func);
    lua_newtable(state);
    add_function(state, scope, "__newindex", set_global);
    add_function(state, scope, "__index", get_global);
    lua_setmetatable(state, -2);
}

/* A number between colons in a complaint of Lua's: `[string "..."]:12: ...`. */
static int line_in(const char *message)
{
    for (const char *at = message; at != NULL && (at = strchr(at, ':')) != NULL; at++) {
        char *end;
        long line = strtol(at + 1, &end, 10);

        if (end > at + 1 && *end == ':' && line > 0)
            return (int)line;
    }
    return 0;
}

static void run_text(lua_State *state, struct scope *scope, const char *text, size_t size)
{
    int status;

    lua_current_file = scope->file;
    if (size > 0 && text[0] == LUA_SIGNATURE[0]) {
        lua.line = 1;
        fail(state, LUA_FAILED_BYTECODE);
    }
    status = luaL_loadbufferx(state, text, size, "=file", "t");
    if (status == LUA_ERRSYNTAX)
        lua.line = line_in(lua_tostring(state, -1));
    if (status != LUA_OK)
        fail(state, status == LUA_ERRMEM ? LUA_FAILED_MEMORY : LUA_FAILED_SYNTAX);
    push_environment(state, scope);
    lua_setupvalue(state, -2, 1);
    lua_call(state, 0, 0);
}

static void run_file(lua_State *state, int depth)
{
    uint32_t file = report_receive_number();
    uint32_t size = report_receive_number();
    struct scope *scope = calloc(1, sizeof(*scope));
    char *text = scope == NULL ? NULL : malloc((size_t)size + 1);

    if (text == NULL) {
        free(scope);
        report_end_badly();
    }
    report_receive(text, size);
    scope->file = file;
    scope->depth = depth;
    run_text(state, scope, text, size);
    free(text);
    /* The scope stays: functions of the file may be called later. An error leaves the text too, and
     * is the process's last. */
}

/* Runs the files of an answer to Include. */
static void run_files(lua_State *state, int depth)
{
    int32_t count = (int32_t)report_receive_number();

    luaL_checkstack(state, 16, NULL);
    if (count == INCLUDE_FAILED)
        fail(state, LUA_FAILED_INCLUDE);
    for (int32_t i = 0; i < count; i++)
        run_file(state, depth);
}

/* --- limits */

static void *allocate(void *unused, void *old, size_t old_size, size_t size)
{
    size_t freed = old == NULL ? 0 : old_size;

    (void)unused;
    if (size > freed && size - freed > MEMORY_MAX - lua.memory)
        return NULL;
    if (size == 0) {
        free(old);
        lua.memory -= freed;
        return NULL;
    }
    old = realloc(old, size);
    if (old != NULL)
        lua.memory += size - freed;
    return old;
}

static void count_instructions(lua_State *state, lua_Debug *unused)
{
    (void)unused;
    lua.instructions += HOOK_EVERY;
    if (lua.instructions >= INSTRUCTIONS_MAX)
        fail(state, LUA_FAILED_TIME);
}

/* Called where an error is raised, while it can still be told where that is. */
static int on_error(lua_State *state)
{
    if (lua.line == 0)
        lua.line = lua_current_line(state);
    return 1;
}

static int run_first(lua_State *state)
{
    lua_unknown_prepare(state);
    run_files(state, 0);
    return 0;
}

static void report_end(int status)
{
    char failure = (char)(lua.failure != 0       ? lua.failure
                          : status == LUA_ERRMEM ? LUA_FAILED_MEMORY
                                                 : LUA_FAILED_RUNNING);

    report_begin(status == LUA_OK ? 'D' : 'E', lua_current_file, lua.line);
    if (status != LUA_OK)
        report_put(&failure, 1);
    report_finish();
}

_Noreturn void lua_inside(void)
{
    lua_State *state = lua_newstate(allocate, NULL);
    int status;

    if (state == NULL)
        report_end_badly();
    lua_sethook(state, count_instructions, LUA_MASKCOUNT, HOOK_EVERY);
    lua_pushcfunction(state, on_error);
    lua_pushcfunction(state, run_first);
    status = lua_pcall(state, 0, 0, 1);
    report_end(status);
    _exit(0);
}
