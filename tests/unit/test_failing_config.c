/* Loading a configuration when memory is short, a file can't be read, or a hash can't be made: it says so and leaves nothing. */
#include "failing_calls.h"

#include <grp.h>

#include "config/config.h"
#include "config/secret_memory.h"
#include "test_config_files.h"

/* Everything that a configuration can have; the blanks are for the three files that it names. */
#ifdef HAVE_REDIS
#define STORE "store = redis://127.0.0.1:6379/1\nredis_password_file = %s\n"
#else
#define STORE "store = journal\n; a password would be in %s\n"
#endif

static const char everything[] = "[server]\n"
                                 "listen = /run/xmpp-authd-unit/auth.sock\n"
                                 "allow_users = root daemon\n"
                                 "allow_groups = root daemon\n"
                                 "[listen web]\n"
                                 "protocol = http\n"
                                 "address = 127.0.0.1:5281\n"
                                 "http_user = chat\n"
                                 "http_password = 5nQ8ZtB2wYk7RmVcXh4LdPf3\n"
                                 "[listen mail]\n"
                                 "protocol = saslauthd\n"
                                 "path = /run/xmpp-authd-unit/mux\n"
                                 "host = example.org\n"
                                 "[replay]\n" STORE "[http]\n"
                                 "listen = unix:/run/xmpp-authd-unit/http.sock\n"
                                 "[host example.org]\n" GOOD_KEY "accept = v1 v2 jsxc\n"
                                 "jsxc_secret = wE7uJ4qTn9ZxK2vR6yB8sC3m\n"
                                 "isuser = file:%s\n"
                                 "[key example.org next]\n"
                                 "otp_seed = GE2TQNRVHA4TGMZSGE3DMOJQGUYTKNZX\n"
                                 "token_secret = pA8sD3fG6hJ9kL2zX5cV7bN4\n"
                                 "accept_from = 2020-01-01T00:00:00Z\n"
                                 "[host *]\n"
                                 "secrets_file = %s\n";

struct files {
    char configuration[FILE_PATH_SIZE];
    char password[FILE_PATH_SIZE];
    char users[FILE_PATH_SIZE];
    char secrets[FILE_PATH_SIZE];
};

static int write_files(void **state)
{
    struct files *files = calloc(1, sizeof(*files));
    char text[2048];

    assert_non_null(files);
    write_text(files->password, "sesame\n");
    write_text(files->users, "# users\nalice\nBob@example.org\n");
    write_text(files->secrets, "[hosts]\nprosody_otp_seed = KRUGKIDROVUWG2ZAMJZG653OEBTG66BA\n"
                               "prosody_token_secret = rT6yU8iO1pL4kJ7hG2fD5sA9\n");
    snprintf(text, sizeof(text), everything, files->password, files->users, files->secrets);
    write_text(files->configuration, text);
    *state = files;
    return 0;
}

static int remove_files(void **state)
{
    struct files *files = *state;

    unlink(files->configuration);
    unlink(files->password);
    unlink(files->users);
    unlink(files->secrets);
    free(files);
    return 0;
}

/* All of the configuration as text, for it to be compared. Freed by the caller. */
static char *dumped(const struct config *config)
{
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);

    assert_non_null(stream);
    config_dump(config, stream);
    fclose(stream);
    return text;
}

static char *whole(const char *path)
{
    struct problems *problems = problems_create();
    struct config *config = config_load(path, problems);
    char *text;

    expect(config != NULL, "%s",
           problems_count(problems) > 0 ? problems_at(problems, 0)->text : "");
    text = dumped(config);
    config_destroy(&config);
    problems_destroy(&problems);
    return text;
}

static void test_it_loads_whole_or_says_why_not(void **state)
{
    const struct files *files = *state;
    char *meant = whole(files->configuration);
    size_t descriptors = open_descriptors();
    size_t refused = 0;

    for (long number = 1; number == 1 || call_failed(); number++) {
        struct problems *problems = problems_create();
        struct config *config;

        fail_call(number);
        config = config_load(files->configuration, problems);
        calls_succeed();
        expect((config == NULL) == problems_have_error(problems), "call %ld, %s: no word of why",
               number, failing.name);
        if (config != NULL) {
            char *text = dumped(config);

            expect(strcmp(text, meant) == 0, "call %ld, %s: something is missing:\n%s", number,
                   failing.name, text);
            free(text);
            expect(config->host_guess.numbers != NULL, "call %ld, %s: no host can be guessed",
                   number, failing.name);
        }
        refused += config == NULL ? 1 : 0;
        config_destroy(&config);
        problems_destroy(&problems);
        expect(open_descriptors() == descriptors, "call %ld, %s: a file stays open", number,
               failing.name);
    }
    expect(refused > 50, "only %zu calls were missed", refused);
    free(meant);
}

/* Where the list of problems itself can't be made longer, it still counts as one with an error. */
static void test_a_problem_that_finds_no_memory_still_is_one(void **state)
{
    (void)state;
    for (long number = 1; number == 1 || call_failed(); number++) {
        struct problems *problems;

        fail_call(number);
        problems = problems_create();
        if (problems != NULL) {
            problems_error(problems, "file", 1, "%s", "wrong");
            assert_true(problems_have_error(problems));
        }
        calls_succeed();
        problems_destroy(&problems);
        assert_null(problems);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_loads_whole_or_says_why_not, write_files,
                                        remove_files),
        cmocka_unit_test(test_a_problem_that_finds_no_memory_still_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
