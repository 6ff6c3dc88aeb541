/* The files of a configuration in Lua: read here, run elsewhere. */
#ifndef DOCTOR_LUA_FILES_H
#define DOCTOR_LUA_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum { LUA_FILES_MAX = 256 };

struct lua_file {
    const char *path;
    const char *text;
    size_t size;
};

struct lua_files {
    struct arena *arena; /* borrowed */
    struct lua_file files[LUA_FILES_MAX];
    size_t count;
    const char *why; /* the last failure's: words that go after the path */
    const char *failed_path;
};

/* Reads one file. Returns 0, or -1 with why. */
__attribute__((warn_unused_result)) int lua_files_read(struct lua_files *files, const char *path);

/*
 * Reads what Include names in one of the files (its number): a path, relative to that file's
 * directory, or all files of a directory that fit a pattern of * and ?, in the order of names.
 * Returns how many, which stand at the end of files; or -1 with why.
 */
int lua_files_include(struct lua_files *files, uint32_t from, const char *pattern);

#endif
