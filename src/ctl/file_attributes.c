#include "ctl/file_attributes.h"

#ifdef __linux__

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/xattr.h>

#include <linux/limits.h>

static const char access_list[] = "system.posix_acl_access";

static bool is_system_label(const char *name)
{
    return strncmp(name, "security.", 9) == 0 || strncmp(name, "trusted.", 8) == 0;
}

static int copy_one(int from, int to, const char *name, char *value)
{
    ssize_t size = fgetxattr(from, name, value, XATTR_SIZE_MAX);

    if (size >= 0 && fsetxattr(to, name, value, (size_t)size, 0) == 0)
        return 0;
    return is_system_label(name) ? 0 : -1;
}

/* A file that is made in a directory with a default access list begins with that one. */
static int remove_inherited(int to)
{
    if (fremovexattr(to, access_list) == 0 || errno == ENODATA || errno == ENOTSUP)
        return 0;
    return -1;
}

static int copy_all(int from, int to, char *names, char *value)
{
    ssize_t size = flistxattr(from, names, XATTR_LIST_MAX);

    if (size < 0)
        return errno == ENOTSUP ? 0 : -1;
    for (const char *name = names; name < names + size; name += strlen(name) + 1) {
        if (copy_one(from, to, name, value) != 0)
            return -1;
    }
    return 0;
}

int file_attributes_copy(int from, int to)
{
    char *names = malloc(XATTR_LIST_MAX);
    char *value = malloc(XATTR_SIZE_MAX);
    int result = -1;

    if (names != NULL && value != NULL && remove_inherited(to) == 0)
        result = copy_all(from, to, names, value);
    free(names);
    free(value);
    return result;
}

#else

int file_attributes_copy(int from, int to)
{
    (void)from;
    (void)to;
    return 0;
}

#endif
