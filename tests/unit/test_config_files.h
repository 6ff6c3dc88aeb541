/* What the unit tests of config share: files with a content, and problems held against a list. */
#ifndef UNIT_TEST_CONFIG_FILES_H
#define UNIT_TEST_CONFIG_FILES_H

#include "vectors.h"

#include <sys/stat.h>
#include <unistd.h>

#include "config/problems.h"

/* Two secrets that are good enough, as they stand in a section. */
#define GOOD_SEED   "MFZWIZTHNBVGW3DRO5SXE5DZOVUW64DB"
#define GOOD_SECRET "gT4mW9xQz2Lr7VbN5kYc8HdJ"
#define GOOD_KEY    "otp_seed = " GOOD_SEED "\ntoken_secret = " GOOD_SECRET "\n"

enum { FILE_PATH_SIZE = 64 };

/* Writes a file of its own, mode 0600; path_r is where. Removed with unlink(). */
static inline const char *write_file(char path_r[FILE_PATH_SIZE], const void *content, size_t size)
{
    int descriptor;

    snprintf(path_r, FILE_PATH_SIZE, "/tmp/xmpp-authd-unit-XXXXXX");
    descriptor = mkstemp(path_r);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, content, size), (ssize_t)size);
    close(descriptor);
    return path_r;
}

static inline const char *write_text(char path_r[FILE_PATH_SIZE], const char *text)
{
    return write_file(path_r, text, strlen(text));
}

/* A problem's text behind the file's name. */
static inline const char *said(const struct problems *problems, size_t index)
{
    const char *text = problems_at(problems, index)->text;
    const char *name = strrchr(text, '/');
    const char *colon = strchr(name == NULL ? text : name, ':');

    return colon == NULL ? text : colon + 1;
}

/* Fails unless the problems are these, in this order; lines is terminated by NULL. */
static inline void expect_problems(const struct problems *problems, const char *const *lines,
                                   size_t row)
{
    size_t count = 0;

    for (; lines[count] != NULL; count++) {
        expect(count < problems_count(problems), "row %zu: nothing is said of %s", row,
               lines[count]);
        expect(strcmp(said(problems, count), lines[count]) == 0, "row %zu: '%s', not '%s'", row,
               said(problems, count), lines[count]);
    }
    expect(problems_count(problems) == count, "row %zu: and '%s'", row, said(problems, count));
}

#endif
