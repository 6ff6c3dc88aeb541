/* The hosts' windows beside each other. What is spent and what is closed is known by its time, not by
 * its host, so a record must outlast every window that its time is in. */
#ifndef CONFIG_WINDOWS_H
#define CONFIG_WINDOWS_H

#include "config/config.h"

/* Sets each host's keep_window and reach, and that of the configuration, when the hosts are built. */
void windows_settle(struct config *config);

#endif
