/* What [replay] needs beyond its own values: Redis' password from its file. */
#ifndef CONFIG_REPLAY_H
#define CONFIG_REPLAY_H

#include "config/hosts.h"

/* Completes the store's rule in config's sections; adds problems and warnings. A password file that
 * was read is put in front of *holders (memory from config's arena). */
void replay_build(struct config *config, struct problems *problems,
                  struct secrets_holder **holders);

#endif
