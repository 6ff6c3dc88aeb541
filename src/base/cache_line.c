#include "base/cache_line.h"

#include <stdlib.h>
#include <string.h>

void *cache_lines_alloc(size_t size)
{
    void *memory = aligned_alloc(CACHE_LINE, size);

    return memory == NULL ? NULL : memset(memory, 0, size);
}
