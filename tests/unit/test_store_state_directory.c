/* The state directory is private, and one process's at a time. */
#include "state_fixture.h"

#include <sys/wait.h>

#include "store/state_directory.h"

static const struct state_directory not_open = {.directory = -1, .lock = -1};

static void make_path(void **state, char *path_r, size_t size, const char *name)
{
    snprintf(path_r, size, "%s/%s", ((const struct state_fixture *)*state)->path, name);
}

static void it_is_made_private_where_it_is_missing(void **state)
{
    char path[64], error[PATH_ERROR_SIZE] = "";
    struct state_directory directory = not_open;
    struct stat status;

    make_path(state, path, sizeof(path), "state");
    expect(state_directory_open(&directory, path, 0, error) == 0, "%s", error);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_true(file_exists(directory.directory, "lock"));
    assert_int_equal(fcntl(directory.lock, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    remove_file(directory.directory, "lock");
    state_directory_close(&directory);
    assert_int_equal(directory.directory, -1);
    state_directory_close(&directory);
}

static void an_unfit_directory_is_refused_with_what_to_do(void **state)
{
    static const struct {
        mode_t mode;
        const char *word;
    } rows[] = {{0750, "chmod 0700"},
                {0710, "chmod 0700"},
                {0701, "chmod 0700"},
                {0704, "chmod 0700"},
                {0777, "chmod 0700"}};
    char path[64], error[PATH_ERROR_SIZE];
    struct state_directory directory = not_open;

    make_path(state, path, sizeof(path), "state");
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(chmod(path, rows[i].mode), 0);
        expect(state_directory_open(&directory, path, 1000, error) == -1, "row %zu", i);
        expect(strstr(error, rows[i].word) != NULL && strstr(error, path) != NULL, "row %zu: %s", i,
               error);
        expect(directory.directory == -1, "row %zu", i);
        assert_int_equal(rmdir(path), 0);
    }
    make_path(state, path, sizeof(path), "missing/state");
    assert_int_equal(state_directory_open(&directory, path, 0, error), -1);
    make_path(state, path, sizeof(path), "file");
    write_file(((const struct state_fixture *)*state)->directory, "file", "", 0);
    assert_int_equal(state_directory_open(&directory, path, 0, error), -1);
}

static void another_users_directory_is_refused(void **state)
{
    char path[64], error[PATH_ERROR_SIZE];
    struct state_directory directory = not_open;

    if (geteuid() != 0)
        skip();
    make_path(state, path, sizeof(path), "state");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_int_equal(state_directory_open(&directory, path, 0, error), -1);
    expect(strstr(error, "chown") != NULL, "%s", error);
}

/* flock() locks belong to the open file, so that one process can play both daemons. */
static void a_second_holder_is_refused_at_once_unless_the_first_is_stopping(void **state)
{
    const struct state_fixture *fixture = *state;
    char error[PATH_ERROR_SIZE];
    struct state_directory first = not_open, second = not_open;

    expect(state_directory_open(&first, fixture->path, 0, error) == 0, "%s", error);
    assert_int_equal(state_directory_open(&second, fixture->path, 3600000, error), -1);
    expect(strstr(error, "another daemon") != NULL, "%s", error);
    assert_int_equal(second.directory, -1);
    /* One that is stopping is waited for, as long as is said. */
    state_directory_announce_stop(&first);
    assert_int_equal(state_directory_open(&second, fixture->path, 50, error), -1);
    state_directory_close(&first);
    assert_int_equal(state_directory_open(&second, fixture->path, 0, error), 0);
    /* Its word does not stick to the next. */
    assert_int_equal(state_directory_open(&first, fixture->path, 3600000, error), -1);
    state_directory_close(&second);
}

/* Somebody tidies up: what is left of the lock is the directory's own. */
static void a_lock_file_that_is_gone_lets_nobody_in(void **state)
{
    const struct state_fixture *fixture = *state;
    char error[PATH_ERROR_SIZE];
    struct state_directory first = not_open, second = not_open;

    assert_int_equal(state_directory_open(&first, fixture->path, 0, error), 0);
    assert_true(first.is_locked_itself);
    remove_file(fixture->directory, "lock");
    assert_int_equal(state_directory_open(&second, fixture->path, 0, error), -1);
    expect(strstr(error, "another daemon") != NULL, "%s", error);
    assert_null(state_directory_lost(&first, fixture->path));
    /* Where directories can't be locked, the loss itself is what counts. */
    first.is_locked_itself = false;
    assert_non_null(state_directory_lost(&first, fixture->path));
    remove_file(fixture->directory, "lock");
    assert_non_null(state_directory_lost(&first, fixture->path));
    state_directory_close(&first);
    assert_int_equal(state_directory_open(&second, fixture->path, 0, error), 0);
    assert_null(state_directory_lost(&second, fixture->path));
    state_directory_close(&second);
}

static void a_directory_that_is_no_longer_at_its_path_is_lost_until_it_is_back(void **state)
{
    char path[64], away[64], error[PATH_ERROR_SIZE];
    struct state_directory directory = not_open;

    make_path(state, path, sizeof(path), "state");
    make_path(state, away, sizeof(away), "away");
    assert_null(state_directory_lost(&directory, path));
    assert_int_equal(state_directory_open(&directory, path, 0, error), 0);
    assert_null(state_directory_lost(&directory, path));
    assert_int_equal(rename(path, away), 0);
    assert_non_null(state_directory_lost(&directory, path));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_non_null(state_directory_lost(&directory, path));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink(away, path), 0);
    assert_null(state_directory_lost(&directory, path));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rename(away, path), 0);
    assert_null(state_directory_lost(&directory, path));
    remove_file(directory.directory, "lock");
    assert_int_equal(rmdir(path), 0);
    assert_non_null(state_directory_lost(&directory, path));
    state_directory_close(&directory);
}

static void a_holder_that_stops_is_waited_for(void **state)
{
    const struct state_fixture *fixture = *state;
    char error[PATH_ERROR_SIZE];
    struct state_directory first = not_open, second = not_open;
    pid_t child;
    int status;

    assert_int_equal(state_directory_open(&first, fixture->path, 0, error), 0);
    state_directory_announce_stop(&first);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct state_directory inherited = first;

        usleep(100000);
        state_directory_close(&inherited);
        _exit(0);
    }
    /* The lock is the child's alone from here on. */
    state_directory_close(&first);
    assert_int_equal(state_directory_open(&second, fixture->path, 60000, error), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    state_directory_close(&second);
}

static void what_is_not_open_can_announce_nothing(void **state)
{
    struct state_directory directory = not_open;

    (void)state;
    state_directory_announce_stop(&directory);
    state_directory_close(&directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(it_is_made_private_where_it_is_missing),
        state_test(an_unfit_directory_is_refused_with_what_to_do),
        state_test(another_users_directory_is_refused),
        state_test(a_second_holder_is_refused_at_once_unless_the_first_is_stopping),
        state_test(a_lock_file_that_is_gone_lets_nobody_in),
        state_test(a_directory_that_is_no_longer_at_its_path_is_lost_until_it_is_back),
        state_test(a_holder_that_stops_is_waited_for),
        state_test(what_is_not_open_can_announce_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
