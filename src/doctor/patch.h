/* The changes that findings plan, as a unified patch. */
#ifndef DOCTOR_PATCH_H
#define DOCTOR_PATCH_H

#include <stdio.h>

#include "doctor/findings.h"

/*
 * Writes a patch for all files that have edits, with three lines around each, names as `a/FILE` and
 * `b/FILE`: for `patch -d / -p1` and for `git apply`. Returns 0, or -1: a file can't be read any
 * more, or memory is short.
 */
__attribute__((warn_unused_result)) int patch_write(struct findings *findings, FILE *stream);

#endif
