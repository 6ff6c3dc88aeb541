#include "doctor/server_user.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int server_user_find(struct server_user *user_r, const char *name)
{
    const struct passwd *entry = getpwnam(name);
    struct server_user user = {.name = name, .group_count = SERVER_GROUPS_MAX};

    if (entry == NULL)
        return -1;
    user.uid = entry->pw_uid;
    user.gid = entry->pw_gid;
    if (getgrouplist(name, user.gid, user.groups, &user.group_count) < 0)
        user.group_count = SERVER_GROUPS_MAX;
    *user_r = user;
    return 0;
}

bool server_user_is_in(const struct server_user *user, gid_t group)
{
    for (int i = 0; i < user->group_count; i++) {
        if (user->groups[i] == group)
            return true;
    }
    return user->gid == group;
}

static bool has_bits(const struct server_user *user, const struct stat *status, unsigned bits)
{
    unsigned mode = (unsigned)status->st_mode;

    if (user->uid == 0)
        return (bits & 01) == 0 || (mode & 0111) != 0;
    if (status->st_uid == user->uid)
        mode >>= 6;
    else if (server_user_is_in(user, status->st_gid))
        mode >>= 3;
    return (mode & bits) == bits;
}

/* Every directory above a path that was resolved. */
static bool can_enter(const struct server_user *user, char *path)
{
    struct stat status;

    for (char *slash = strrchr(path, '/'); slash != NULL; slash = strrchr(path, '/')) {
        slash[slash == path] = '\0';
        if (stat(path, &status) != 0 || !has_bits(user, &status, 01))
            return false;
        if (slash == path)
            break;
    }
    return true;
}

enum access_result server_user_access(const struct server_user *user, const char *path,
                                      unsigned bits)
{
    struct stat status;
    char resolved[PATH_MAX];

    if (realpath(path, resolved) == NULL || stat(resolved, &status) != 0)
        return errno == EACCES ? ACCESS_NO_DIRECTORY : ACCESS_MISSING;
    if (!has_bits(user, &status, bits))
        return ACCESS_DENIED;
    return can_enter(user, resolved) ? ACCESS_GRANTED : ACCESS_NO_DIRECTORY;
}

/* Whether a line of /proc/PID/status that lists groups has this one. */
static bool lists_group(const char *line, gid_t group)
{
    char *end;

    for (const char *at = line;; at = end) {
        unsigned long number = strtoul(at, &end, 10);

        if (end == at)
            return false;
        if (number == group)
            return true;
    }
}

static bool is_stale(const char *number, const struct server_user *user, const char *program,
                     gid_t group)
{
    char path[64], line[8192];
    bool named = false, owned = false, lacks = false;
    FILE *stream;

    snprintf(path, sizeof(path), "/proc/%.20s/status", number);
    stream = fopen(path, "re");
    if (stream == NULL)
        return false;
    while (fgets(line, sizeof(line), stream) != NULL) {
        if (strncmp(line, "Name:\t", 6) == 0)
            named = strncmp(line + 6, program, strlen(program)) == 0;
        else if (strncmp(line, "Uid:\t", 5) == 0)
            owned = strtoul(line + 5, NULL, 10) == user->uid;
        else if (strncmp(line, "Gid:\t", 5) == 0)
            lacks = strtoul(line + 5, NULL, 10) != group;
        else if (strncmp(line, "Groups:", 7) == 0)
            lacks = lacks && !lists_group(line + 7, group);
    }
    fclose(stream);
    return named && owned && lacks;
}

pid_t server_user_stale_process(const struct server_user *user, const char *program, gid_t group)
{
    DIR *processes = opendir("/proc");
    const struct dirent *entry;
    pid_t found = 0;

    if (processes == NULL)
        return 0;
    while (found == 0 && (entry = readdir(processes)) != NULL) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            is_stale(entry->d_name, user, program, group))
            found = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    closedir(processes);
    return found;
}
