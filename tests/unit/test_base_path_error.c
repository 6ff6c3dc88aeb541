/* Errors about files say which file and why, and fit whatever the path. */
#include "vectors.h"

#include <errno.h>

#include "base/path_error.h"

static void it_says_which_file_and_what(void **state)
{
    char error[PATH_ERROR_SIZE];

    (void)state;
    assert_int_equal(path_error(error, "/etc/x", "move it"), -1);
    assert_string_equal(error, "/etc/x: move it");
    errno = ENOENT;
    assert_int_equal(path_error_errno(error, "/etc/x", "can't open it"), -1);
    assert_string_equal(error, "/etc/x: can't open it: No such file or directory");
    assert_int_equal(errno, ENOENT);
}

static void a_long_path_does_not_push_the_reason_out(void **state)
{
    char error[PATH_ERROR_SIZE], path[5000];

    (void)state;
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(path_error(error, path, "move it"), -1);
    assert_non_null(strstr(error, "xxx: move it"));
    errno = EACCES;
    assert_int_equal(path_error_errno(error, path, "can't open it"), -1);
    assert_non_null(strstr(error, "xxx: can't open it: Permission denied"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_which_file_and_what),
        cmocka_unit_test(a_long_path_does_not_push_the_reason_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
