/* The daemon's own directory: private, and held by one process at a time. */
#ifndef STORE_STATE_DIRECTORY_H
#define STORE_STATE_DIRECTORY_H

#include <stdbool.h>

#include "base/path_error.h"

struct state_directory {
    int directory; /* -1: not open */
    int lock;      /* the lock file: it also says whether its holder is stopping */
    bool is_locked_itself;
};

/*
 * Opens the directory, making it (mode 0700) where only its last part is missing, and takes its
 * lock for the life of the process: that of a file in it and, where the file system can, that of
 * the directory itself, which nobody can remove from under a running daemon. It must be the process's own and closed to all others. Another
 * daemon that holds the lock and is stopping is waited for, wait_ms at the most; one that is not is
 * an error. Returns 0, or -1 and what failed and what to do.
 */
__attribute__((warn_unused_result)) int state_directory_open(struct state_directory *state_r,
                                                             const char *path, int wait_ms,
                                                             char error_r[PATH_ERROR_SIZE]);

/*
 * Whether the directory that is held is no longer what is found at its path, so that another daemon
 * could hold that: NULL, or static words on what happened and what to do. A directory that is put
 * back is held as before; one that is not open is never lost.
 */
const char *state_directory_lost(const struct state_directory *state, const char *path);

/* Tells a daemon that starts meanwhile that this one is stopping. */
void state_directory_announce_stop(struct state_directory *state);

/* Gives the lock up and closes; a directory that is not open is left alone. */
void state_directory_close(struct state_directory *state);

#endif
