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

static const char stopping = 's';

static int fail(char error_r[STATE_DIRECTORY_ERROR_SIZE], const char *path, const char *what)
{
    snprintf(error_r, STATE_DIRECTORY_ERROR_SIZE, "%.140s: %s", path, what);
    return -1;
}

static int fail_errno(char error_r[STATE_DIRECTORY_ERROR_SIZE], const char *path, const char *doing)
{
    snprintf(error_r, STATE_DIRECTORY_ERROR_SIZE, "%.140s: %s: %s", path, doing, strerror(errno));
    return -1;
}

static int open_private(const char *path, char error_r[STATE_DIRECTORY_ERROR_SIZE])
{
    struct stat status;
    int directory;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail_errno(error_r, path, "can't make the state directory");
    directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0 || fstat(directory, &status) != 0) {
        fail_errno(error_r, path, "can't open the state directory");
    } else if (status.st_uid != geteuid()) {
        fail(error_r, path, "the state directory is another user's: chown it to the daemon's");
    } else if ((status.st_mode & 0077) != 0) {
        fail(error_r, path, "others may look into the state directory: chmod 0700 it");
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

    return pread(lock, &word, 1, 0) == 1 && word == stopping;
}

/* Polls: flock() can't wait for a limited time. A holder that is not stopping is not waited for. */
static int take_lock(int lock, const char *path, int wait_ms,
                     char error_r[STATE_DIRECTORY_ERROR_SIZE])
{
    while (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail_errno(error_r, path, "can't lock the state directory");
        if (!holder_is_stopping(lock) || wait_ms <= 0)
            return fail(error_r, path, "another daemon uses this state directory: stop it first");
        poll(NULL, 0, POLL_MS);
        wait_ms -= POLL_MS;
    }
    if (ftruncate(lock, 0) != 0)
        return fail_errno(error_r, path, "can't write to the state directory");
    return 0;
}

int state_directory_open(struct state_directory *state_r, const char *path, int wait_ms,
                         char error_r[STATE_DIRECTORY_ERROR_SIZE])
{
    int directory = open_private(path, error_r);
    int lock;

    if (directory < 0)
        return -1;
    lock = openat(directory, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        fail_errno(error_r, path, "can't write to the state directory");
    if (lock < 0 || take_lock(lock, path, wait_ms, error_r) != 0) {
        if (lock >= 0)
            close(lock);
        close(directory);
        return -1;
    }
    *state_r = (struct state_directory){directory, lock};
    return 0;
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
    *state = (struct state_directory){-1, -1};
}
