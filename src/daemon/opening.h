/* When a daemon whose record of spent tokens is incomplete takes fresh ones again. */
#ifndef DAEMON_OPENING_H
#define DAEMON_OPENING_H

#include "config/config.h"
#include "store/spent_store.h"

/* The time, in seconds since the epoch, from which no token of any host, of whatever kind it takes,
 * is refused as `starting` if it is minted right then; 0: it is past. */
int64_t opening_time(const struct config *config, const struct spent_store *store,
                     struct moment now);

#endif
