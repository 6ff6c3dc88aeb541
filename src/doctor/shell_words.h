/* The words of a command line as a shell takes it apart, without a shell. */
#ifndef DOCTOR_SHELL_WORDS_H
#define DOCTOR_SHELL_WORDS_H

#include <stddef.h>

enum { SHELL_WORDS_MAX = 8, SHELL_WORDS_SIZE = 1024 };

struct shell_words {
    char text[SHELL_WORDS_SIZE];
    const char *words[SHELL_WORDS_MAX];
    size_t count;
};

/* Splits at blanks, quotes taken off. Returns 0, or -1 where only a shell could say what comes of
 * it (variables, patterns, redirections), or where it is longer than any real one. */
__attribute__((warn_unused_result)) int shell_words_split(struct shell_words *words_r,
                                                          const char *text);

#endif
