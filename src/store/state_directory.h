/* The daemon's own directory: private, and held by one process at a time. */
#ifndef STORE_STATE_DIRECTORY_H
#define STORE_STATE_DIRECTORY_H

enum { STATE_DIRECTORY_ERROR_SIZE = 256 };

struct state_directory {
    int directory; /* -1: not open */
    int lock;
};

/*
 * Opens the directory, making it (mode 0700) where only its last part is missing, and takes its
 * lock for the life of the process. It must be the process's own and closed to all others. Another
 * daemon that holds the lock and is stopping is waited for, wait_ms at the most; one that is not is
 * an error. Returns 0, or -1 and what failed and what to do.
 */
__attribute__((warn_unused_result)) int
state_directory_open(struct state_directory *state_r, const char *path, int wait_ms,
                     char error_r[STATE_DIRECTORY_ERROR_SIZE]);

/* Tells a daemon that starts meanwhile that this one is stopping. */
void state_directory_announce_stop(struct state_directory *state);

/* Gives the lock up and closes; a directory that is not open is left alone. */
void state_directory_close(struct state_directory *state);

#endif
