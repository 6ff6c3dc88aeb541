/*
 * ejabberd.yml as ejabberd takes it: included files spliced in, macros replaced, a host's own
 * settings over those of all. Read as ejabberd 23.01 reads it; what only a running ejabberd can
 * know becomes NODE_UNKNOWN.
 */
#ifndef DOCTOR_EJABBERD_CONFIG_H
#define DOCTOR_EJABBERD_CONFIG_H

#include "doctor/findings.h"
#include "doctor/node.h"

struct ejabberd_config {
    const char *path;
    struct node *root;        /* of the file itself, as it was written: where new settings can go */
    struct node *settings;    /* a map of all settings */
    const struct node *hosts; /* the list of hosts; NULL: none that could be read */
};

/* Reads path and all that it includes. Returns 0, or -1; adds findings either way. Everything lives
 * as long as the findings. */
__attribute__((warn_unused_result)) int
ejabberd_config_read(struct ejabberd_config *config_r, struct findings *findings, const char *path);

/* A setting that counts for all hosts; NULL: not set. */
const struct node *ejabberd_config_global(const struct ejabberd_config *config, const char *name);

/* A setting as it counts for a host: its own in host_config, else that of all; NULL: not set. */
const struct node *ejabberd_config_setting(const struct ejabberd_config *config, const char *host,
                                           const char *name);

/* Plans that a setting for all hosts gets a value: in its place, else behind auth_method or hosts.
 * Nothing is planned where that is no plain line. */
void ejabberd_config_plan(const struct ejabberd_config *config, struct findings *findings,
                          const char *name, const char *value);

/* Plans that a setting has a value in a map that is no root, such as a listener's. */
void ejabberd_config_plan_in(struct findings *findings, const struct node *map, const char *name,
                             const char *value);

/* The last line of all that a value holds. */
int ejabberd_config_last_line(const struct node *node);

#endif
