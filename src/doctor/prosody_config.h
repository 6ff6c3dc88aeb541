/*
 * prosody.cfg.lua as Prosody takes it: run, in a cage, with VirtualHost, Component and Include at
 * hand and nothing else.
 */
#ifndef DOCTOR_PROSODY_CONFIG_H
#define DOCTOR_PROSODY_CONFIG_H

#include <stdbool.h>

#include "doctor/findings.h"
#include "doctor/node.h"

struct prosody_host {
    const char *name; /* NULL: the settings of all hosts */
    bool component;
    struct place place; /* of its VirtualHost or Component line */
    struct node *settings;
    struct prosody_host *next;
};

struct prosody_config {
    const char *path;
    struct prosody_host *hosts; /* the settings of all first */
};

/* Runs path and all that it includes. Returns 0, or -1; adds findings either way. Everything lives
 * as long as the findings. Not to be called with secrets in memory: the process that runs the file
 * has a copy of it. */
__attribute__((warn_unused_result)) int
prosody_config_read(struct prosody_config *config_r, struct findings *findings, const char *path);

/* A setting as it counts for a host: its own, else that of all; NULL: not set. */
const struct node *prosody_config_setting(const struct prosody_config *config,
                                          const struct prosody_host *host, const char *name);

#endif
