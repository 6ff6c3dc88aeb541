/*
 * Secrets that the service manager hands to the service alone, as files in a directory that it
 * names (systemd.exec(5), CREDENTIALS). In the configuration: credential:NAME in a path's place.
 */
#ifndef CONFIG_CREDENTIAL_H
#define CONFIG_CREDENTIAL_H

#include <stdbool.h>

#include "base/arena.h"

/* Whether a value names a credential, right or wrong. */
bool credential_is_meant(const char *value);

/* What is wrong with such a value; NULL if nothing. A name leads nowhere but into the directory. */
const char *credential_complaint(const char *value);

/* The path of the credential that a right value names, taken from the arena. NULL, or (*path_r
 * untouched) static words that say what is missing and what to do. */
const char *credential_path(const char *value, struct arena *arena, const char **path_r);

#endif
