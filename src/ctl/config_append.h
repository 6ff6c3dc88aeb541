/* Adds to a configuration file, all or nothing. */
#ifndef CTL_CONFIG_APPEND_H
#define CTL_CONFIG_APPEND_H

#include <stdbool.h>

#include "config/config.h"

/* Whether a configuration with the addition is what was meant. */
typedef bool config_judge(void *context, const struct config *config);

/*
 * Appends text to the configuration at path, whose owner, group, mode and attributes stay. The
 * whole result is loaded first, and must be what judge (called with context) takes it for. A path
 * that is a symbolic link or has other names is refused: the file itself must be named. Writers of
 * this kind wait for each other for some seconds. Returns 0, or -1 after a complaint: nothing was
 * changed.
 */
__attribute__((warn_unused_result)) int config_append(const char *path, const char *text,
                                                      config_judge *judge, void *context);

#endif
