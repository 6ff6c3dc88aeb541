#include "store/state_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POLL_MS = 20 };

static const char lock_name[] = "lock";
static const char stopping = 's';

static int open_private(const char *path, char error_r[PATH_ERROR_SIZE])
{
    struct stat status;
    int directory;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return path_error_errno(error_r, path, "can't make the state directory");
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || fstat(directory, &status) != 0) {
        path_error_errno(error_r, path, "can't open the state directory");
    } else if (status.st_uid != geteuid()) {
        path_error(error_r, path,
                   "the state directory is another user's: chown it to the daemon's");
    } else if ((status.st_mode & 0077) != 0) {
        path_error(error_r, path, "others may look into the state directory: chmod 0700 it");
    } else {
        return directory;
    }
    if (directory >= 0)
        close(directory);
    return -1;
}

static bool holder_is_stopping(int lock)
{
    char word = '\0';
    ssize_t got;

    do
        got = pread(lock, &word, 1, 0);
    while (got < 0 && errno == EINTR);
    return got == 1 && word == stopping;
}

/* Polls: flock() can't wait for a limited time. A holder that is not stopping is not waited for. */
static int take_lock(int lock, const char *path, int wait_ms, char error_r[PATH_ERROR_SIZE])
{
    while (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return path_error_errno(error_r, path, "can't lock the state directory");
        if (!holder_is_stopping(lock) || wait_ms <= 0)
            return path_error(error_r, path,
                              "another daemon uses this state directory: stop it first");
        poll(NULL, 0, POLL_MS);
        wait_ms -= POLL_MS;
    }
    if (ftruncate(lock, 0) != 0)
        return path_error_errno(error_r, path, "can't write to the state directory");
    return 0;
}

/* Network file systems lock no directories: there the lock file must do. */
static int lock_itself(int directory, const char *path, bool *locked_r,
                       char error_r[PATH_ERROR_SIZE])
{
    do
        *locked_r = flock(directory, LOCK_EX | LOCK_NB) == 0;
    while (!*locked_r && errno == EINTR);
    if (!*locked_r && errno == EWOULDBLOCK)
        return path_error(error_r, path,
                          "another daemon uses this state directory, though its lock file is "
                          "gone: stop it first");
    return 0;
}

int state_directory_open(struct state_directory *state_r, const char *path, int wait_ms,
                         char error_r[PATH_ERROR_SIZE])
{
    struct state_directory state = {.directory = open_private(path, error_r), .lock = -1};

    if (state.directory < 0)
        return -1;
    state.lock =
        openat(state.directory, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (state.lock < 0)
        path_error_errno(error_r, path, "can't write to the state directory");
    else if (take_lock(state.lock, path, wait_ms, error_r) == 0 &&
             lock_itself(state.directory, path, &state.is_locked_itself, error_r) == 0) {
        *state_r = state;
        return 0;
    }
    if (state.lock >= 0)
        close(state.lock);
    close(state.directory);
    return -1;
}

static bool is_same_file(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

const char *state_directory_lost(const struct state_directory *state, const char *path)
{
    struct stat held, found;

    if (state->directory < 0)
        return NULL;
    if (fstat(state->directory, &held) != 0 || stat(path, &found) != 0 ||
        !is_same_file(&held, &found))
        return "the state directory was moved, removed or replaced: put it back, or start again";
    if (!state->is_locked_itself &&
        (fstat(state->lock, &held) != 0 ||
         fstatat(state->directory, lock_name, &found, AT_SYMLINK_NOFOLLOW) != 0 ||
         !is_same_file(&held, &found)))
        return "the lock file of the state directory was removed: start again";
    return NULL;
}

void state_directory_announce_stop(struct state_directory *state)
{
    /* Where this can't be written, the one that starts refuses instead of waiting: no harm but its
     * own. */
    if (state->lock >= 0 && pwrite(state->lock, &stopping, 1, 0) != 1)
        errno = 0;
}

void state_directory_close(struct state_directory *state)
{
    if (state->directory < 0)
        return;
    close(state->lock);
    close(state->directory);
    *state = (struct state_directory){.directory = -1, .lock = -1};
}
