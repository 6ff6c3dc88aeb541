/* Errors about a file, for people: which file, what happened, what to do. */
#ifndef BASE_PATH_ERROR_H
#define BASE_PATH_ERROR_H

enum { PATH_ERROR_SIZE = 256 };

/* Writes `PATH: WHAT`, a long path cut off, and returns -1. */
int path_error(char error_r[PATH_ERROR_SIZE], const char *path, const char *what);

/* Writes `PATH: DOING: ` and what errno says, and returns -1. */
int path_error_errno(char error_r[PATH_ERROR_SIZE], const char *path, const char *doing);

#endif
