/* Whether the system's clock is kept right. */
#ifndef DOCTOR_CLOCK_H
#define DOCTOR_CLOCK_H

#include "doctor/findings.h"

/* Adds a finding where the kernel says that nobody synchronises the clock, or can't say. */
void clock_examine(struct findings *findings);

#endif
