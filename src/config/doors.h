/* What must fit together in a [listen] section whose protocol is not the usual one. */
#ifndef CONFIG_DOORS_H
#define CONFIG_DOORS_H

#include "config/config.h"

/* Adds a problem for each setting of a [listen] section that is missing, or one too many, for its
 * protocol, and for a host that is not served; when the hosts are built. */
void doors_check(const struct config *config, struct problems *problems);

#endif
