/* How much memory the process has resident. */
#ifndef BENCH_RESIDENT_H
#define BENCH_RESIDENT_H

#include <stdint.h>

/* Bytes resident by the kernel's walk of the page tables (/proc/self/smaps_rollup; the counters in
 * status may be hundreds of kilobytes behind); -1 where it can't be read. */
int64_t resident_bytes(void);

#endif
