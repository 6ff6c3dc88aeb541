#include "base/boot_id.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool boot_id_read(char boot_id_r[BOOT_ID_SIZE])
{
    int descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    char text[BOOT_ID_SIZE];
    ssize_t size;

    if (descriptor < 0)
        return false;
    size = read(descriptor, text, sizeof(text));
    close(descriptor);
    if (size != BOOT_ID_SIZE)
        return false;
    memcpy(boot_id_r, text, sizeof(text));
    return true;
}
