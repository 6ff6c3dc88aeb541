#include "config/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct entry {
    struct problem problem;
    const char *file;
    int line;
};

struct problems {
    struct arena arena;
    struct entry *entries;
    size_t count;
    size_t capacity;
    bool have_error;
    bool lost_one; /* memory was short */
};

/* In the place of all that there was no memory for. */
static const struct problem lost = {SEVERITY_ERROR, "memory is short"};

struct problems *problems_create(void)
{
    return calloc(1, sizeof(struct problems));
}

void problems_destroy(struct problems **problems)
{
    if (*problems == NULL)
        return;
    arena_clear(&(*problems)->arena);
    free((*problems)->entries);
    free(*problems);
    *problems = NULL;
}

/* Room for one more entry, kept in the order of lines within a file; NULL where memory is short. */
static struct entry *insert_entry(struct problems *problems, const char *file, int line)
{
    size_t at = problems->count;

    if (problems->count == problems->capacity) {
        size_t capacity = problems->capacity == 0 ? 16 : problems->capacity * 2;
        struct entry *entries = realloc(problems->entries, capacity * sizeof(*entries));

        if (entries == NULL)
            return NULL;
        problems->entries = entries;
        problems->capacity = capacity;
    }
    while (at > 0 && strcmp(problems->entries[at - 1].file, file) == 0 &&
           problems->entries[at - 1].line > line)
        at--;
    memmove(&problems->entries[at + 1], &problems->entries[at],
            (problems->count - at) * sizeof(struct entry));
    problems->count++;
    return &problems->entries[at];
}

__attribute__((format(printf, 5, 0))) static void add(struct problems *problems,
                                                      enum severity severity, const char *file,
                                                      int line, const char *format,
                                                      va_list arguments)
{
    char text[1024];
    char *file_copy = arena_copy(&problems->arena, file, strlen(file));
    char *text_copy;
    struct entry *entry;
    int prefix = line > 0 ? snprintf(text, sizeof(text), "%s:%d: ", file, line)
                          : snprintf(text, sizeof(text), "%s: ", file);

    if (severity == SEVERITY_ERROR)
        problems->have_error = true;
    if (prefix < 0 || (size_t)prefix >= sizeof(text))
        prefix = 0;
    vsnprintf(text + prefix, sizeof(text) - (size_t)prefix, format, arguments);
    text_copy = arena_copy(&problems->arena, text, strlen(text));
    entry = file_copy == NULL || text_copy == NULL ? NULL : insert_entry(problems, file_copy, line);
    if (entry == NULL) {
        problems->have_error = true;
        problems->lost_one = true;
        return;
    }
    *entry = (struct entry){.problem = {severity, text_copy}, .file = file_copy, .line = line};
}

void problems_error(struct problems *problems, const char *file, int line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(problems, SEVERITY_ERROR, file, line, format, arguments);
    va_end(arguments);
}

void problems_warning(struct problems *problems, const char *file, int line, const char *format,
                      ...)
{
    va_list arguments;

    va_start(arguments, format);
    add(problems, SEVERITY_WARNING, file, line, format, arguments);
    va_end(arguments);
}

bool problems_have_error(const struct problems *problems)
{
    return problems->have_error;
}

size_t problems_count(const struct problems *problems)
{
    return problems->count + (problems->lost_one ? 1 : 0);
}

const struct problem *problems_at(const struct problems *problems, size_t index)
{
    return index < problems->count ? &problems->entries[index].problem : &lost;
}

void problems_print(const struct problems *problems, FILE *stream)
{
    for (size_t i = 0; i < problems_count(problems); i++) {
        const struct problem *problem = problems_at(problems, i);

        fprintf(stream, "%s%s\n", problem->severity == SEVERITY_WARNING ? "warning: " : "",
                problem->text);
    }
}
