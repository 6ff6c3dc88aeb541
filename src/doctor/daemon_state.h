/* What the running daemon says of itself, against its file. */
#ifndef DOCTOR_DAEMON_STATE_H
#define DOCTOR_DAEMON_STATE_H

#include <stdbool.h>

#include "config/config.h"
#include "doctor/findings.h"

/*
 * Asks the daemon at its control socket, and adds a finding where it can't be asked, or runs with
 * another configuration than its file has now. Returns whether it can be asked logins; starting_r,
 * where it is so that it refuses fresh tokens for now.
 */
bool daemon_state_examine(struct findings *findings, const struct config *config, bool *starting_r);

#endif
