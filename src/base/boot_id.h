/* Which boot of the machine this is. */
#ifndef BASE_BOOT_ID_H
#define BASE_BOOT_ID_H

#include <stdbool.h>

enum { BOOT_ID_SIZE = 36 };

/* Reads the kernel's random name of this boot. False where there is none to read (boot_id_r
 * untouched): then nothing can be known to be of the same boot. */
bool boot_id_read(char boot_id_r[BOOT_ID_SIZE]);

#endif
