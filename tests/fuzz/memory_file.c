#include "memory_file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "expect.h"

const char *memory_file(const uint8_t *bytes, size_t size)
{
    static char path[32];
    static int descriptor = -1;

    if (descriptor < 0) {
        descriptor = memfd_create("fuzz", MFD_CLOEXEC);
        EXPECT(descriptor >= 0 && fchmod(descriptor, 0600) == 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
    }
    EXPECT(ftruncate(descriptor, 0) == 0);
    EXPECT(pwrite(descriptor, bytes, size, 0) == (ssize_t)size);
    return path;
}
