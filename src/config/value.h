/* One setting's value: from its text into its field, and back into text. */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/settings.h"

enum { VALUE_TEXT_SIZE = 512 };

/*
 * Parses text into the setting's field of a section's values; what it needs is taken from the
 * arena, secrets from the secure heap (release with secret_clear()). Returns NULL, or (the field
 * untouched) static words that say what a right value is.
 */
const char *value_parse(const struct setting *setting, const char *text, struct arena *arena,
                        void *values);

/* Puts the default in. Same result; a setting without one gets NULL, nothing, or its minimum
 * (times). */
const char *value_set_default(const struct setting *setting, struct arena *arena, void *values);

/* Writes the field as it would be written in a file, secrets masked; cut where it does not fit.
 * Returns text_r. */
const char *value_format(const struct setting *setting, const void *values,
                         char text_r[VALUE_TEXT_SIZE]);

#endif
