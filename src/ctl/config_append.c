#include "ctl/config_append.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "config/source_file.h"
#include "ctl/replacement.h"
#include "ctl/report.h"

/* For another writer to come to its end. */
enum { LOCK_TRIES = 100, LOCK_PAUSE_MS = 50 };

struct edit {
    const char *path;
    char directory_path[PATH_MAX];
    const char *name; /* within the directory; part of path */
    int directory;
    int original; /* the lock is on it */
    struct stat status;
    char *text; /* what was there */
};

static int refuse(const struct edit *edit, const char *why)
{
    ctl_complain("%s: %s; nothing was changed", edit->path, why);
    return -1;
}

static int open_directory(struct edit *edit)
{
    const char *slash = strrchr(edit->path, '/');
    size_t length = slash == NULL ? 1 : (size_t)(slash - edit->path) + (slash == edit->path);

    edit->name = slash == NULL ? edit->path : slash + 1;
    if (length >= sizeof(edit->directory_path))
        return refuse(edit, "the path is too long");
    memcpy(edit->directory_path, slash == NULL ? "." : edit->path, length);
    edit->directory_path[length] = '\0';
    edit->directory = open(edit->directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return edit->directory < 0 ? refuse(edit, strerror(errno)) : 0;
}

static int open_original(struct edit *edit)
{
    edit->original =
        openat(edit->directory, edit->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (edit->original < 0 && errno == ELOOP)
        return refuse(edit, "this is a symbolic link: name the file itself with -c");
    if (edit->original < 0 || fstat(edit->original, &edit->status) != 0)
        return refuse(edit, strerror(errno));
    if (!S_ISREG(edit->status.st_mode))
        return refuse(edit, "this is not a regular file");
    if (edit->status.st_nlink > 1)
        return refuse(edit, "the file has another name (a hard link), which would keep the old "
                            "text: remove that first");
    return 0;
}

/* Whether the name still leads to the file that is open, unchanged. */
static bool is_untouched(const struct edit *edit)
{
    struct stat now;

    return fstatat(edit->directory, edit->name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
           now.st_dev == edit->status.st_dev && now.st_ino == edit->status.st_ino &&
           now.st_size == edit->status.st_size &&
           now.st_mtim.tv_sec == edit->status.st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == edit->status.st_mtim.tv_nsec;
}

static void close_original(struct edit *edit)
{
    if (edit->original >= 0)
        close(edit->original);
    edit->original = -1;
}

/* Opens the file and has it alone. Who waited for a lock may hold that of a file that was replaced meanwhile: then again. */
static int lock_original(struct edit *edit)
{
    static const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};

    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (open_original(edit) != 0)
            return -1;
        if (flock(edit->original, LOCK_EX | LOCK_NB) == 0 && is_untouched(edit))
            return 0;
        close_original(edit);
        nanosleep(&pause, NULL);
    }
    return refuse(edit, "somebody else keeps the file locked: try again");
}

static int read_original(struct edit *edit)
{
    size_t size = (size_t)edit->status.st_size;
    size_t done = 0;
    ssize_t got = 1;

    if (edit->status.st_size > SOURCE_FILE_MAX)
        return refuse(edit, "it is too large");
    edit->text = OPENSSL_malloc(size + 1);
    if (edit->text == NULL)
        return refuse(edit, "memory is short");
    while (done < size && got != 0) {
        got = pread(edit->original, edit->text + done, size - done, (off_t)done);
        if (got < 0 && errno != EINTR)
            break;
        done += got > 0 ? (size_t)got : 0;
    }
    return done == size ? 0 : refuse(edit, "reading it failed");
}

static bool loads(const struct edit *edit, const struct replacement *replacement,
                  config_judge *judge, void *context)
{
    char path[PATH_MAX + REPLACEMENT_NAME_SIZE + 1];
    struct problems *problems = problems_create();
    struct config *config;
    bool good;

    if (problems == NULL)
        return false;
    snprintf(path, sizeof(path), "%s/%s", edit->directory_path, replacement->own_name);
    config = config_load(path, problems);
    good = config != NULL && judge(context, config);
    if (!good)
        problems_print(problems, stderr);
    config_destroy(&config);
    problems_destroy(&problems);
    return good;
}

static int write_all(const struct edit *edit, struct replacement *replacement, const char *text)
{
    size_t size = (size_t)edit->status.st_size;
    bool ends_line = size == 0 || edit->text[size - 1] == '\n';

    if (replacement_write(replacement, edit->text, size) != 0 ||
        (!ends_line && replacement_write(replacement, "\n", 1) != 0))
        return -1;
    return replacement_write(replacement, text, strlen(text));
}

static int replace(struct edit *edit, const char *text, config_judge *judge, void *context)
{
    struct replacement replacement;
    int result = -1;

    if (replacement_create(&replacement, edit->directory, edit->name, edit->original,
                           &edit->status) != 0)
        return -1;
    if (write_all(edit, &replacement, text) != 0)
        result = -1;
    else if (!loads(edit, &replacement, judge, context))
        result = refuse(edit, "with the addition it would not load");
    else if (!is_untouched(edit))
        result = refuse(edit, "it was changed by somebody else at this moment: try again");
    else
        return replacement_commit(&replacement);
    replacement_discard(&replacement);
    return result;
}

static int edit_file(struct edit *edit, const char *text, config_judge *judge, void *context)
{
    if (open_directory(edit) != 0 || lock_original(edit) != 0 || read_original(edit) != 0)
        return -1;
    return replace(edit, text, judge, context);
}

int config_append(const char *path, const char *text, config_judge *judge, void *context)
{
    struct edit edit = {.path = path, .directory = -1, .original = -1};
    sigset_t all, before;
    int result;

    /* An interrupt half-way would leave a file with secrets behind: it comes afterwards. */
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    result = edit_file(&edit, text, judge, context);
    if (edit.text != NULL)
        OPENSSL_clear_free(edit.text, (size_t)edit.status.st_size + 1);
    close_original(&edit);
    if (edit.directory >= 0)
        close(edit.directory);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return result;
}
