/* The configuration file as it is written: sections and their settings, checked against the table,
 * not yet against each other. */
#ifndef CONFIG_SECTION_H
#define CONFIG_SECTION_H

#include "base/name_table.h"
#include "config/problems.h"
#include "config/settings.h"
#include "config/source_file.h"

struct section {
    struct section *next;
    enum section_kind kind;
    const char *names[2]; /* what follows the word in the header; NULL where there is none */
    int line;             /* of the header; 0: the section is not in the file */
    int lines[SECTION_SETTINGS_MAX]; /* of each setting by its place; 0: the default */
    void *values;                    /* the structure of its kind */
};

struct section_list {
    const char *path;
    struct section
        *first; /* in the file's order; sections without names come first and are always there */
    int last_line;
};

/*
 * Reads the opened file into list; memory comes from the arena, secrets from the secure heap
 * (sections_clear_secrets()). Adds a problem for each unknown or repeated section or setting (with
 * the nearest known name), and each bad value.
 */
void sections_read(struct section_list *list, struct source_file *file, struct arena *arena,
                   struct problems *problems);

/* The line where a setting of the section stands, or the section's own where it is the default. */
int section_line_of(const struct section *section, const char *setting);

/* Whether a setting of the section stands in the file. */
bool section_sets(const struct section *section, const char *setting);

/* The section without names of a kind. */
struct section *section_single(const struct section_list *list, enum section_kind kind);

/* Wipes the secrets of all sections. */
void sections_clear_secrets(struct section_list *list);

#endif
