#include "base/boot_id.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool boot_id_read(char boot_id_r[BOOT_ID_SIZE])
{
    int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    char text[BOOT_ID_SIZE];
    size_t size = 0;
    ssize_t got = 1;

    if (descriptor < 0)
        return false;
    while (size < sizeof(text) && got != 0) {
        got = read(descriptor, text + size, sizeof(text) - size);
        if (got < 0 && errno != EINTR)
            break;
        size += got > 0 ? (size_t)got : 0;
    }
    close(descriptor);
    if (size != BOOT_ID_SIZE)
        return false;
    memcpy(boot_id_r, text, sizeof(text));
    return true;
}
