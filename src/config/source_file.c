#include "config/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

static const char *complaint_about(const struct stat *status, bool confidential)
{
    if (!S_ISREG(status->st_mode))
        return "it is not a regular file";
    if (status->st_size > SOURCE_FILE_MAX)
        return "it is too large";
    if (confidential && (status->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "others than its owner can write it: chmod go-w it";
    if (confidential && (status->st_mode & S_IROTH) != 0)
        return "everybody can read it, and it holds secrets: chmod o-r it";
    return NULL;
}

/* All that fits the size that the file had when it was opened. NULL, or what failed. */
static const char *read_all(struct source_file *file, int descriptor)
{
    size_t capacity = (size_t)file->status.st_size;

    file->text = OPENSSL_malloc(capacity + 1);
    if (file->text == NULL)
        return "memory is short";
    while (file->size < capacity) {
        ssize_t got = read(descriptor, file->text + file->size, capacity - file->size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return strerror(errno);
        if (got == 0)
            break;
        file->size += (size_t)got;
    }
    return NULL;
}

int source_file_open(struct source_file *file, const char *path, bool confidential,
                     struct problems *problems, const char *blame_file, int blame_line)
{
    /* Non-blocking, so that a FIFO in the file's place can't hang a start or a reload. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    const char *complaint;

    *file = (struct source_file){.path = path};
    if (descriptor < 0 || fstat(descriptor, &file->status) != 0)
        complaint = strerror(errno);
    else
        complaint = complaint_about(&file->status, confidential);
    if (complaint == NULL)
        complaint = read_all(file, descriptor);
    if (descriptor >= 0)
        close(descriptor);
    if (complaint == NULL)
        return 0;
    source_file_close(file);
    if (strcmp(path, blame_file) == 0)
        problems_error(problems, path, 0, "%s", complaint);
    else
        problems_error(problems, blame_file, blame_line, "%s: %s", path, complaint);
    return -1;
}

const char *source_file_next(struct source_file *file, size_t *length_r)
{
    const char *line = file->text + file->position;
    size_t left = file->size - file->position;
    const char *end = left == 0 ? NULL : memchr(line, '\n', left);

    if (left == 0)
        return NULL;
    *length_r = end == NULL ? left : (size_t)(end - line);
    file->position += *length_r + (end != NULL);
    file->line++;
    return line;
}

void source_file_close(struct source_file *file)
{
    OPENSSL_clear_free(file->text, file->text == NULL ? 0 : (size_t)file->status.st_size + 1);
    *file = (struct source_file){0};
}
