/* The hosts and their keys, made from sections that were read. */
#ifndef CONFIG_HOSTS_H
#define CONFIG_HOSTS_H

#include "config/config.h"

/* A file that holds secrets, to be held against the listeners' groups. */
struct secrets_holder {
    const char *path;
    int blame_line;
    struct stat status;
    struct secrets_holder *next;
};

/*
 * Fills config's hosts from its sections. Adds problems; those files with secrets that were read
 * besides the configuration itself are put in front of *holders (memory from config's arena).
 */
void hosts_build(struct config *config, struct problems *problems, struct secrets_holder **holders);

/* What is wrong with a domain as servers ask about it, or with *: static words; NULL if nothing. */
const char *domain_complaint(const char *name);

/* Releases the hosts' keys and users. */
void hosts_clear(struct config *config);

#endif
