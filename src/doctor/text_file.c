#include "doctor/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *read_descriptor(struct arena *arena, int descriptor, size_t *size_r,
                             const char **why_r)
{
    struct stat status;
    size_t size = 0;
    ssize_t got;
    char *text;

    *why_r = "is no regular file";
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return NULL;
    *why_r = "is far too long for a configuration";
    if (status.st_size > TEXT_FILE_MAX)
        return NULL;
    *why_r = "can't be read: memory is short";
    text = arena_alloc(arena, (size_t)status.st_size + 1);
    if (text == NULL)
        return NULL;
    while (size < (size_t)status.st_size &&
           (got = read(descriptor, text + size, (size_t)status.st_size - size)) != 0) {
        if (got < 0 && errno != EINTR) {
            *why_r = "can't be read";
            return NULL;
        }
        size += got < 0 ? 0 : (size_t)got;
    }
    *size_r = size;
    return text;
}

char *text_file_read(struct arena *arena, const char *path, size_t *size_r, const char **why_r)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char *text;

    if (descriptor < 0) {
        *why_r = strerror(errno);
        return NULL;
    }
    text = read_descriptor(arena, descriptor, size_r, why_r);
    close(descriptor);
    return text;
}
