#include "base/path_error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int path_error(char error_r[PATH_ERROR_SIZE], const char *path, const char *what)
{
    snprintf(error_r, PATH_ERROR_SIZE, "%.130s: %s", path, what);
    return -1;
}

int path_error_errno(char error_r[PATH_ERROR_SIZE], const char *path, const char *doing)
{
    snprintf(error_r, PATH_ERROR_SIZE, "%.130s: %s: %s", path, doing, strerror(errno));
    return -1;
}
