/* What is wrong with a prosody.cfg.lua, for a server that asks xmpp-authd. */
#ifndef DOCTOR_PROSODY_H
#define DOCTOR_PROSODY_H

#include "doctor/examination.h"
#include "doctor/prosody_config.h"

/* Whether any host of it asks xmpp-authd, or an external program. */
bool prosody_asks(const struct prosody_config *config);

/* Adds all findings, and the routes by which it asks. */
void prosody_examine(struct examination *examination, const struct prosody_config *config);

/* The part about the community module that runs a program on a terminal. */
void prosody_examine_terminal(struct examination *examination, const struct prosody_config *config,
                              const struct prosody_host *host, const struct node *provider);

/* The parts about modules. */
void prosody_examine_modules(struct examination *examination, const struct prosody_config *config,
                             const struct prosody_host *host);

#endif
