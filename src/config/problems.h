/*
 * What is wrong with a configuration: all of it, each with file and line. A problem's text never
 * holds a value, nor a line as it was written: either may be a secret, or one that was pasted in
 * the wrong place.
 */
#ifndef CONFIG_PROBLEMS_H
#define CONFIG_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum severity { SEVERITY_WARNING, SEVERITY_ERROR };

struct problem {
    enum severity severity;
    const char *text; /* "FILE:LINE: what is wrong and what to do" */
};

struct problems;

/* An empty list, or NULL where memory is short. Released with problems_destroy(). */
struct problems *problems_create(void);

/* Frees *problems and sets it to NULL; NULL is allowed. */
void problems_destroy(struct problems **problems);

/* Adds an error or a warning. line 0: the file as a whole. Where memory is short the list counts as
 * having an error. */
__attribute__((format(printf, 4, 5))) void
problems_error(struct problems *problems, const char *file, int line, const char *format, ...);
__attribute__((format(printf, 4, 5))) void
problems_warning(struct problems *problems, const char *file, int line, const char *format, ...);

/* Whether there is at least one error. */
bool problems_have_error(const struct problems *problems);

/* How many there are, and one of them (0 to count - 1) by line within its file; borrowed until the
 * list changes. */
size_t problems_count(const struct problems *problems);
const struct problem *problems_at(const struct problems *problems, size_t index);

/* Prints each on a line of its own, for a person. */
void problems_print(const struct problems *problems, FILE *stream);

#endif
