/* The listeners, made from sections that were read. */
#ifndef CONFIG_LISTENERS_H
#define CONFIG_LISTENERS_H

#include "config/config.h"
#include "config/hosts.h"

/* Fills config's listeners and control path from its sections; adds problems. */
void listeners_build(struct config *config, struct problems *problems);

/*
 * Adds a problem for each file with secrets, of holders, that the group which may open a listener
 * can read: a chat server could mint tokens for anybody.
 */
void listeners_check_groups(const struct config *config, const struct secrets_holder *holders,
                            struct problems *problems);

#endif
