#include "ctl/replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "ctl/file_attributes.h"
#include "ctl/report.h"

static int fail(const char *what)
{
    ctl_complain("%s: %s; nothing was changed", what, strerror(errno));
    return -1;
}

/* A name that nobody can have prepared: a file that is there already is never opened. */
static int open_new(struct replacement *replacement)
{
    uint64_t number;

    if (RAND_bytes((unsigned char *)&number, sizeof(number)) != 1) {
        ctl_complain("the system gives no random numbers");
        return -1;
    }
    snprintf(replacement->own_name, sizeof(replacement->own_name), ".%.200s.%016llx",
             replacement->name, (unsigned long long)number);
    replacement->descriptor = openat(replacement->directory, replacement->own_name,
                                     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return replacement->descriptor < 0 ? fail("no file can be made beside the configuration") : 0;
}

/* The owner first: changing it takes rights away from the mode, and could not take them back. */
static int take_after(const struct replacement *replacement, int original,
                      const struct stat *status)
{
    struct stat own;

    if (fstat(replacement->descriptor, &own) != 0)
        return fail("the new file can't be looked at");
    if ((own.st_uid != status->st_uid || own.st_gid != status->st_gid) &&
        fchown(replacement->descriptor, status->st_uid, status->st_gid) != 0)
        return fail("the new file can't be given the owner and group of the old (run this as "
                    "root, or as the file's owner)");
    if (fchmod(replacement->descriptor, status->st_mode & 07777) != 0)
        return fail("the new file can't be given the mode of the old");
    if (file_attributes_copy(original, replacement->descriptor) != 0)
        return fail("the new file can't be given the access list and attributes of the old");
    return 0;
}

int replacement_create(struct replacement *replacement, int directory, const char *name,
                       int original, const struct stat *status)
{
    *replacement = (struct replacement){.directory = directory, .name = name};
    if (open_new(replacement) != 0)
        return -1;
    if (take_after(replacement, original, status) == 0)
        return 0;
    replacement_discard(replacement);
    return -1;
}

int replacement_write(struct replacement *replacement, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t written = write(replacement->descriptor, at, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fail("writing the new file failed");
        at += written;
        size -= (size_t)written;
    }
    return fsync(replacement->descriptor) == 0 ? 0 : fail("writing the new file failed");
}

int replacement_commit(struct replacement *replacement)
{
    if (renameat(replacement->directory, replacement->own_name, replacement->directory,
                 replacement->name) != 0) {
        fail("the new file can't take the old one's place");
        replacement_discard(replacement);
        return -1;
    }
    /* The change is made; only a power cut in the next seconds could undo it, as a whole. */
    if (fsync(replacement->directory) != 0)
        ctl_complain("warning: the directory was not synced: %s", strerror(errno));
    close(replacement->descriptor);
    return 0;
}

void replacement_discard(struct replacement *replacement)
{
    close(replacement->descriptor);
    unlinkat(replacement->directory, replacement->own_name, 0);
}
