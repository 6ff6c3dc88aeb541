#include "doctor/lua_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/text_file.h"

int lua_files_read(struct lua_files *files, const char *path)
{
    struct lua_file *file = &files->files[files->count];

    files->why = "is one file too many";
    files->failed_path = arena_copy(files->arena, path, strlen(path));
    if (files->count == LUA_FILES_MAX || files->failed_path == NULL)
        return -1;
    file->path = files->failed_path;
    file->text = text_file_read(files->arena, path, &file->size, &files->why);
    if (file->text == NULL)
        return -1;
    files->count++;
    return 0;
}

/* Whether a name fits a pattern in which * is anything and ? is any one byte. */
static bool fits(const char *name, const char *pattern)
{
    const char *star = NULL;
    const char *retry = NULL;

    while (*name != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            retry = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star + 1;
            name = ++retry;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

static int read_directory(struct lua_files *files, const char *directory, const char *pattern)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort);
    int result = 0;
    char path[PATH_MAX];

    if (count < 0) {
        files->why = strerror(errno);
        files->failed_path = arena_copy(files->arena, directory, strlen(directory));
        return -1;
    }
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;

        if (result == 0 && name[0] != '.' && fits(name, pattern) &&
            (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path) ||
             lua_files_read(files, path) != 0))
            result = -1;
        free(entries[i]);
    }
    free(entries);
    return result;
}

int lua_files_include(struct lua_files *files, uint32_t from, const char *pattern)
{
    size_t before = files->count;
    char path[PATH_MAX];
    const char *base;
    char *name;
    int length;

    files->why = "can't be named";
    files->failed_path = "what Include names";
    if (from >= files->count)
        return -1;
    base = files->files[from].path;
    length = pattern[0] == '/' ? 0 : (int)(strrchr(base, '/') - base) + 1;
    if (snprintf(path, sizeof(path), "%.*s%s", length, base, pattern) >= (int)sizeof(path))
        return -1;
    name = strrchr(path, '/');
    if (name == NULL || strpbrk(path, "*?") == NULL)
        return lua_files_read(files, path) == 0 ? 1 : -1;
    *name = '\0';
    if (read_directory(files, path, name + 1) != 0)
        return -1;
    return (int)(files->count - before);
}
