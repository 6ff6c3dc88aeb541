/*
 * INI files through inih, without its traps: inih cuts long lines silently, takes an indented line
 * for more of the setting before it, goes on in the old section after a broken header, cuts section
 * names at 49 bytes, and does not tell lines. Every line is looked at here before inih sees it.
 */
#ifndef CONFIG_INI_H
#define CONFIG_INI_H

#include "config/source_file.h"

/* The longest line, in bytes, that inih as Debian builds it takes whole. */
enum { INI_LINE_MAX = 198 };

enum ini_manner {
    INI_STRICT, /* our own file: every trap is a problem */
    INI_FOREIGN /* somebody else's: what we can't read does not concern us */
};

struct ini_callbacks {
    /* A section begins; name (between the brackets, blanks trimmed, terminated) is borrowed for the
     * call. */
    void (*section)(void *context, const char *name, int line);
    /* A setting; both borrowed for the call, wiped after it. continued: the value is one more
     * indented line of the same setting (INI_FOREIGN only). Before the first section header the
     * section is "". */
    void (*setting)(void *context, const char *name, const char *value, bool continued, int line);
};

/*
 * Reads an opened file to its end, from its first line. In the strict manner these are problems: a
 * header without its bracket (its settings are passed over), an indented line, a line too long, a
 * line with a NUL byte, and one that is neither header, setting, comment nor blank. A foreign file
 * is read without complaint.
 */
void ini_read(struct source_file *file, enum ini_manner manner, struct problems *problems,
              const struct ini_callbacks *callbacks, void *context);

#endif
