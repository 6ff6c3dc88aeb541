/* The doctor's logins: minted here, asked as a chat server asks. */
#ifndef CTL_ROUND_TRIPS_H
#define CTL_ROUND_TRIPS_H

#include "doctor/examination.h"

/*
 * For each route of an examination: mints a token with the host's key, asks about it, asks about it
 * once more, and about one that was tampered with. Adds a finding where an answer is wrong.
 */
void round_trips_make(const struct examination *examination);

#endif
