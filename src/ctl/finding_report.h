/* Findings, written for people or for programs. */
#ifndef CTL_FINDING_REPORT_H
#define CTL_FINDING_REPORT_H

#include <stdio.h>

#include "ctl/arguments.h"
#include "ctl/command.h"
#include "doctor/findings.h"

/* Whether --ignore (NULL: not given) has names of findings only. Returns 0, or -1 after a
 * complaint. */
__attribute__((warn_unused_result)) int finding_report_check(const struct arguments *arguments);

/* Writes all findings that are not ignored, as --logfmt says. Returns what they come to. */
enum ctl_status finding_report_write(const struct findings *findings,
                                     const struct arguments *arguments, FILE *stream);

#endif
