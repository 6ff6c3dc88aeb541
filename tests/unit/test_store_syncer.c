/* A file is put on the disk beside the event loop, and the result is told once. */
#include "state_fixture.h"

#include "store/syncer.h"

static enum syncer_state await_result(struct syncer *syncer)
{
    enum syncer_state state;

    for (int i = 0; i < 60000; i++) {
        state = syncer_take(syncer);
        if (state != SYNCER_RUNNING)
            return state;
        usleep(1000);
    }
    return SYNCER_RUNNING;
}

static void a_result_is_told_once(void **state)
{
    const struct state_fixture *fixture = *state;
    struct syncer syncer = {0};

    write_file(fixture->directory, "head", "x", 1);
    assert_int_equal(syncer_take(&syncer), SYNCER_IDLE);
    for (int i = 0; i < 50; i++) {
        syncer_begin(&syncer, fixture->directory, "head");
        assert_int_equal(await_result(&syncer), SYNCER_DONE);
        assert_int_equal(syncer_take(&syncer), SYNCER_IDLE);
    }
}

static void a_file_that_can_not_be_synced_is_a_failure(void **state)
{
    const struct state_fixture *fixture = *state;
    struct syncer syncer = {0};

    syncer_begin(&syncer, fixture->directory, "missing");
    assert_int_equal(await_result(&syncer), SYNCER_FAILED);
    assert_int_equal(syncer_take(&syncer), SYNCER_IDLE);
    syncer_begin(&syncer, -1, "head");
    assert_int_equal(await_result(&syncer), SYNCER_FAILED);
    assert_int_equal(syncer_take(&syncer), SYNCER_IDLE);
}

static void the_directory_may_be_closed_meanwhile(void **state)
{
    const struct state_fixture *fixture = *state;
    struct syncer syncer = {0};
    int directory = fcntl(fixture->directory, F_DUPFD_CLOEXEC, 0);

    write_file(fixture->directory, "head", "x", 1);
    syncer_begin(&syncer, directory, "head");
    close(directory);
    assert_int_equal(await_result(&syncer), SYNCER_DONE);
}

static int open_descriptors;

static void count_descriptor(int directory, const char *name)
{
    (void)directory;
    (void)name;
    open_descriptors++;
}

static int count_descriptors(void)
{
    int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    open_descriptors = 0;
    each_file(directory, count_descriptor);
    close(directory);
    return open_descriptors;
}

static void the_end_waits_for_it_and_leaves_no_descriptor(void **state)
{
    const struct state_fixture *fixture = *state;
    struct syncer syncer = {0};
    int before = count_descriptors();

    write_file(fixture->directory, "head", "x", 1);
    for (int i = 0; i < 20; i++) {
        syncer_begin(&syncer, fixture->directory, i % 2 == 0 ? "head" : "missing");
        syncer_finish(&syncer);
        assert_int_equal(syncer_take(&syncer), SYNCER_IDLE);
    }
    syncer_finish(&syncer);
    assert_int_equal(count_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(a_result_is_told_once),
        state_test(a_file_that_can_not_be_synced_is_a_failure),
        state_test(the_directory_may_be_closed_meanwhile),
        state_test(the_end_waits_for_it_and_leaves_no_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
