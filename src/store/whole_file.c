#include "store/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

ssize_t whole_file_read(int directory, const char *name, void *bytes, size_t size)
{
    int descriptor = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    size_t got = 0;
    int error = 0;

    if (descriptor < 0)
        return -1;
    while (got < size) {
        ssize_t count = read(descriptor, (char *)bytes + got, size - got);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            error = errno;
        if (count <= 0)
            break;
        got += (size_t)count;
    }
    close(descriptor);
    errno = error;
    return error == 0 ? (ssize_t)got : -1;
}

int write_all_at(int descriptor, const void *bytes, size_t size, off_t offset)
{
    size_t done = 0;

    while (done < size) {
        ssize_t count =
            pwrite(descriptor, (const char *)bytes + done, size - done, offset + (off_t)done);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0) {
            errno = ENOSPC;
            return -1;
        }
        done += (size_t)count;
    }
    return 0;
}

int whole_file_write(int directory, const char *name, const void *bytes, size_t size, bool sync)
{
    int descriptor =
        openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int result;
    int error;

    if (descriptor < 0)
        return -1;
    result = write_all_at(descriptor, bytes, size, 0);
    if (result == 0 && sync)
        result = fdatasync(descriptor);
    error = errno;
    close(descriptor);
    errno = error;
    return result;
}
