/* A YAML file as a tree. */
#ifndef DOCTOR_YAML_FILE_H
#define DOCTOR_YAML_FILE_H

#include "doctor/findings.h"
#include "doctor/node.h"

/*
 * Reads the first document of a file, aliases followed, into the findings' arena. Returns its root,
 * an empty map for an empty file; or NULL after adding a finding, blamed on `blame` where the file
 * can't be read (NULL: on the file). Bounded in size, depth and number of nodes.
 */
struct node *yaml_file_read(struct findings *findings, const char *path, const struct place *blame);

#endif
