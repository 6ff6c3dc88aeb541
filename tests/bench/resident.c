#include "resident.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t resident_bytes(void)
{
    /* Neither stdio nor malloc(): they would change what is measured. */
    char text[4096];
    int descriptor = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor < 0 ? -1 : read(descriptor, text, sizeof(text) - 1);
    const char *line;

    if (descriptor >= 0)
        close(descriptor);
    if (length < 0)
        return -1;
    text[length] = '\0';
    line = strstr(text, "\nRss:");
    return line == NULL ? -1 : strtoll(line + 5, NULL, 10) * 1024;
}
