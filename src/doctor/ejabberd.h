/* What is wrong with an ejabberd.yml, for a server that asks xmpp-authd. */
#ifndef DOCTOR_EJABBERD_H
#define DOCTOR_EJABBERD_H

#include "doctor/ejabberd_config.h"
#include "doctor/examination.h"

/* Whether any host of it asks an external program. */
bool ejabberd_asks(const struct ejabberd_config *config);

/* Adds all findings, and the routes by which it asks. */
void ejabberd_examine(struct examination *examination, const struct ejabberd_config *config);

/* The part about listeners. */
void ejabberd_examine_listeners(struct examination *examination,
                                const struct ejabberd_config *config);

#endif
