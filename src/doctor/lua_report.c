#include "doctor/lua_report.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "doctor/lua_cage.h"
#include "doctor/lua_records.h"

/* One process, one script: one record at a time. */
static struct {
    unsigned char bytes[RECORD_MAX];
    size_t length;
} record;

_Noreturn void report_end_badly(void)
{
    _exit(1);
}

static void send_all(const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t sent = write(CAGE_SOCKET, at, size);

        if (sent < 0 && errno != EINTR)
            report_end_badly();
        at += sent < 0 ? 0 : sent;
        size -= sent < 0 ? 0 : (size_t)sent;
    }
}

void report_receive(void *bytes_r, size_t size)
{
    char *at = bytes_r;

    while (size > 0) {
        ssize_t got = read(CAGE_SOCKET, at, size);

        if (got == 0 || (got < 0 && errno != EINTR))
            report_end_badly();
        at += got < 0 ? 0 : got;
        size -= got < 0 ? 0 : (size_t)got;
    }
}

uint32_t report_receive_number(void)
{
    uint32_t number;

    report_receive(&number, sizeof(number));
    return number;
}

bool report_put(const void *bytes, size_t size)
{
    if (size > sizeof(record.bytes) - record.length)
        return false;
    memcpy(record.bytes + record.length, bytes, size);
    record.length += size;
    return true;
}

static bool put_number(uint32_t number)
{
    return report_put(&number, sizeof(number));
}

bool report_put_text(const char *text, size_t length)
{
    return length <= RECORD_MAX && put_number((uint32_t)length) && report_put(text, length);
}

void report_begin(char letter, uint32_t file, int line)
{
    record.length = 0;
    put_number(0);
    report_put(&letter, 1);
    put_number(file);
    put_number(line > 0 ? (uint32_t)line : 0);
}

void report_finish(void)
{
    uint32_t length = (uint32_t)(record.length - sizeof(length));

    memcpy(record.bytes, &length, sizeof(length));
    send_all(record.bytes, record.length);
}

static bool put_value(lua_State *state, int index, int depth);

/* NOLINTNEXTLINE(misc-no-recursion): down to VALUE_DEPTH_MAX. */
static bool put_table(lua_State *state, int index, int depth)
{
    size_t count_at = record.length + 1;
    uint32_t count = 0;

    if (!report_put("t", 1) || !put_number(0) || !lua_checkstack(state, 8))
        return false;
    for (lua_pushnil(state); lua_next(state, index) != 0; lua_pop(state, 1)) {
        if (!put_value(state, lua_gettop(state) - 1, depth + 1) ||
            !put_value(state, lua_gettop(state), depth + 1)) {
            lua_pop(state, 2);
            return false;
        }
        count++;
    }
    memcpy(record.bytes + count_at, &count, sizeof(count));
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): down to VALUE_DEPTH_MAX. */
static bool put_value(lua_State *state, int index, int depth)
{
    const char *text;
    size_t length;

    switch (lua_type(state, index)) {
    case LUA_TSTRING:
        text = lua_tolstring(state, index, &length);
        return report_put("s", 1) && report_put_text(text, length);
    case LUA_TNUMBER:
        lua_pushvalue(state, index); /* lua_tolstring() would change a table's key */
        text = lua_tolstring(state, -1, &length);
        lua_pop(state, 1);
        return report_put("n", 1) && report_put_text(text, length);
    case LUA_TBOOLEAN:
        return report_put(lua_toboolean(state, index) ? "b\1" : "b\0", 2);
    case LUA_TTABLE:
        return depth < VALUE_DEPTH_MAX && put_table(state, index, depth);
    default:
        return report_put("u", 1);
    }
}

void report_put_value(lua_State *state, int index)
{
    size_t at = record.length;

    if (!put_value(state, index, 0)) {
        record.length = at;
        report_put("u", 1);
    }
}
