/* What the unit tests of the state directory share: a directory of their own, damage to its files,
 * and clocks that are set by hand. */
#ifndef UNIT_STATE_FIXTURE_H
#define UNIT_STATE_FIXTURE_H

#include "vectors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/moment.h"

struct state_fixture {
    char path[32];
    int directory;
};

static inline int set_up_state(void **state)
{
    struct state_fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    copy_text(fixture->path, "/tmp/xa-unit-XXXXXX");
    assert_non_null(mkdtemp(fixture->path));
    fixture->directory = open(fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fixture->directory >= 0);
    *state = fixture;
    return 0;
}

/* Calls visit with the name of each file in the directory. */
static inline void each_file(int directory, void (*visit)(int directory, const char *name))
{
    DIR *stream = fdopendir(openat(directory, ".", O_RDONLY | O_DIRECTORY));
    const struct dirent *entry;

    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.')
            visit(directory, entry->d_name);
    }
    closedir(stream);
}

static inline void remove_file(int directory, const char *name)
{
    if (unlinkat(directory, name, 0) != 0)
        assert_int_equal(unlinkat(directory, name, AT_REMOVEDIR), 0);
}

static inline void empty_state(const struct state_fixture *fixture)
{
    each_file(fixture->directory, remove_file);
}

static inline int tear_down_state(void **state)
{
    struct state_fixture *fixture = *state;

    empty_state(fixture);
    close(fixture->directory);
    assert_int_equal(rmdir(fixture->path), 0);
    free(fixture);
    return 0;
}

#define state_test(test) cmocka_unit_test_setup_teardown(test, set_up_state, tear_down_state)

enum { FILE_MAX = 16384 };

/* A file's content; its size, or -1 where there is none. */
static inline ssize_t read_file(int directory, const char *name, uint8_t content_r[FILE_MAX])
{
    int file = openat(directory, name, O_RDONLY);
    ssize_t size;

    if (file < 0)
        return -1;
    size = read(file, content_r, FILE_MAX);
    close(file);
    return size;
}

static inline void write_file(int directory, const char *name, const void *content, size_t size)
{
    int file = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(file >= 0);
    assert_int_equal(write(file, content, size), size);
    close(file);
}

static inline bool file_exists(int directory, const char *name)
{
    return faccessat(directory, name, F_OK, 0) == 0;
}

/* From here on a file of this process can't grow beyond so many bytes, as on a full file system. */
static inline void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static inline void unlimit_files(void)
{
    limit_files(RLIM_INFINITY);
}

static const int64_t noon = 1767225600; /* the first second of a step of 30 s */

/* A reading of the clocks: seconds after noon, and seconds after the boot. */
static inline struct moment clocks(int64_t wall, int64_t boot)
{
    return (struct moment){.wall_ms = (noon + wall) * 1000, .boot_ms = boot * 1000};
}

/* Both clocks go on together. */
static inline struct moment after(int64_t seconds)
{
    return clocks(seconds, 1000 + seconds);
}

#endif
