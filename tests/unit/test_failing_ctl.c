/*
 * xmpp-authctl's commands, in this process, with each of their own calls failing in turn: memory, random numbers, files, sockets,
 * processes. A command does what it would have done, or says that it could not; it never prints a part for the whole, never says
 * that all is well where it is not, and leaves a configuration as it was or as it is to be.
 */
#include "failing_calls.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "config/config.h"
#include "ctl/command.h"
#include "daemon/server.h"
#include "test_config_files.h"

#define TOKEN_TIME "2026-01-01T00:00:00Z"
#define GLOBAL     "[server]\nlisten = %s/auth.sock\n[replay]\nstore = memory\nafter_restart = accept\n"
#define DOMAIN     "[host example.org]\n" GOOD_KEY

static const struct {
    const char *name;
    const char *content;
} files[] = {
    {"conf", GLOBAL DOMAIN
     "accept = v1 v2\n[key example.org old]\notp_seed = GE2TQNRVHA4TGMZSGE3DMOJQGUYTKNZX\n"
     "token_secret = pA8sD3fG6hJ9kL2zX5cV7bN4\naccept_until = 2035-01-01T00:00:00Z\n"},
    {"secrets", "[hosts]\nprosody_otp_seed = KRUGKIDROVUWG2ZAMJZG653OEBTG66BA\n"
                "prosody_token_secret = rT6yU8iO1pL4kJ7hG2fD5sA9\n"},
    {"token",
     "3941922800000000000000000000000000000001 HUu2F3rPlczKm0pWlkM/C6g0K1pBHr0uy5sUhe1PrCI=\n"},
    {"garbage", "not a token at all\n"},
    {"users", "alice@example.org\nbob@example.org\n"},
    {"ejabberd.yml",
     "define_macro:\n  POOL: 4\nhosts:\n  - example.org\nauth_method: [internal, external]\n"
     "extauth_program: \"/usr/bin/nothing 'a b' \\\"c\\\"\"\nextauth_pool_size: "
     "POOL\nauth_use_cache: true\n"
     "host_config:\n  example.org:\n    auth_method: external\n"
     "listen:\n  -\n    port: 5222\n    module: ejabberd_c2s\n  -\n    port: 5280\n    module: "
     "ejabberd_http\n"
     "    request_handlers:\n      /ws: ejabberd_http_ws\n"},
    {"prosody.cfg.lua",
     "plugin_paths = { \"/usr/share\" }\nmodules_enabled = { \"disco\"; \"tls\" }\n"
     "local function later() return 1 end\nunknown_here = later\n"
     "VirtualHost \"example.org\"\n    authentication = \"internal_plain\"\n    "
     "xmpp_authd_connections = 1\n"
     "VirtualHost \"Example.com\"\n    authentication = \"external\"\n    external_auth_command = "
     "\"/bin/true x\"\n"
     "Include \"more.lua\"\n"},
    {"more.lua", "VirtualHost \"example.net\"\n    authentication = \"xmpp_authd\"\n    "
                 "xmpp_authd_socket = \"/nowhere\"\n"},
};

/* The folder stands for each %s. What is exact prints the same each time. */
static const struct {
    const char *line;
    bool exact;
} lines[] = {
    {"keys -c %s/conf", false},
    {"keys example.org -c %s/conf", false},
    {"mint alice@example.org -c %s/conf --time " TOKEN_TIME
     " --nonce 00000000000000000000000000000001",
     true},
    {"mint alice@example.org -c %s/conf", false},
    {"mint alice@example.org -c %s/conf --v2", false},
    {"mint alice@example.org --secrets %s/secrets --time " TOKEN_TIME
     " --nonce 00000000000000000000000000000001",
     true},
    {"check alice@example.org -c %s/conf --token-file %s/token --time " TOKEN_TIME, true},
    {"check alice@example.org -c %s/conf --token-file %s/garbage --time " TOKEN_TIME, true},
    {"keygen example.com", false},
    {"rotate example.org -c %s/conf", false},
    {"rotate example.org -c %s/conf --write --name next", false},
    {"status -c %s/conf", false},
    {"status -c %s/conf --logfmt", false},
    {"ping --socket %s/auth.sock", false},
    {"query isuser alice@example.org --socket %s/auth.sock", true},
    {"query isuser alice@example.org --socket %s/auth.sock --protocol ejabberd", true},
    {"deny alice@example.org -c %s/conf", false},
    {"denied -c %s/conf", true},
    {"allow alice@example.org -c %s/conf", false},
    {"users import %s/users -c %s/conf", false},
    {"users list -c %s/conf", false},
    {"users forget bob@example.org -c %s/conf", false},
    {"why alice@example.org -c %s/conf", false},
#ifdef HAVE_DOCTOR
    {"doctor -c %s/conf --fix --offline --ejabberd %s/ejabberd.yml --ignore clock", false},
    {"doctor -c %s/conf --fix --offline --prosody %s/prosody.cfg.lua --ignore clock", false},
#endif
};

enum { OUTPUT_MAX = 65536, TEXT_MAX = 2048, WORDS_MAX = 16 };

static char folder[32];

/* What a command came to. */
struct outcome {
    enum ctl_status status;
    char output[OUTPUT_MAX];
    char complaint[OUTPUT_MAX];
};

/* A text with the folder in its places. */
static char *expanded(const char *text, char text_r[TEXT_MAX])
{
    size_t length = 0;

    for (; *text != '\0'; text++) {
        if (strncmp(text, "%s", 2) == 0) {
            length += (size_t)snprintf(text_r + length, TEXT_MAX - length, "%s", folder);
            text++;
        } else {
            text_r[length++] = *text;
        }
    }
    text_r[length] = '\0';
    return text_r;
}

static void write_files(void)
{
    char path[64], text[TEXT_MAX];

    for (size_t i = 0; i < LENGTH_OF(files); i++) {
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", folder, files[i].name);
        file = fopen(path, "w");
        assert_non_null(file);
        fputs(expanded(files[i].content, text), file);
        fclose(file);
        assert_int_equal(chmod(path, 0600), 0);
    }
}

/* A daemon for the commands that ask one, in a process of its own. */
static pid_t start_daemon(void)
{
    char path[64], socket_path[64];
    pid_t process;

    snprintf(path, sizeof(path), "%s/conf", folder);
    snprintf(socket_path, sizeof(socket_path), "%s/control.sock", folder);
    process = fork();
    if (process == 0) {
        int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
        struct problems *problems = problems_create();
        struct config *config = config_load(path, problems);
        struct server *server;

        dup2(quiet, STDERR_FILENO);
        server = config == NULL ? NULL : server_create(config);
        _exit(server == NULL || server_run(server) != 0);
    }
    assert_true(process > 0);
    while (access(socket_path, F_OK) != 0) {
        assert_int_equal(waitpid(process, NULL, WNOHANG), 0);
        usleep(10000);
    }
    return process;
}

static pid_t daemon_process;

static int set_up(void **state)
{
    (void)state;
    copy_text(folder,
              access("/dev/shm", W_OK) == 0 ? "/dev/shm/xa-unit-XXXXXX" : "/tmp/xa-unit-XXXXXX");
    assert_non_null(mkdtemp(folder));
    write_files();
    daemon_process = start_daemon();
    return 0;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    kill(daemon_process, SIGTERM);
    waitpid(daemon_process, NULL, 0);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command); /* NOLINT(cert-env33-c) */
}

static char program[] = "xmpp-authctl";

/* Takes a line apart into argv. */
static int split(const char *line, char text[TEXT_MAX], char *argv[WORDS_MAX])
{
    int count = 0;
    char *rest;

    argv[count++] = program;
    for (char *word = strtok_r(expanded(line, text), " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest))
        argv[count++] = word;
    argv[count] = NULL;
    return count;
}

static enum ctl_status run(int argc, char **argv)
{
    struct arguments arguments;
    const struct command *command;

    if (arguments_parse(argc, argv, &arguments) != 0)
        return CTL_ERROR;
    command = command_find(arguments.command);
    return command != NULL && command_accepts(command, &arguments) == 0 ? command->run(&arguments)
                                                                        : CTL_ERROR;
}

/* Puts a file in the place of a standard descriptor, whose own is returned. */
static int redirect(int descriptor, int file)
{
    int own = dup(descriptor);

    assert_true(own >= 0);
    dup2(file, descriptor);
    return own;
}

/* The other way round; what was written meanwhile is text. */
static void restore(int descriptor, int own, int file, char text_r[OUTPUT_MAX])
{
    ssize_t size = pread(file, text_r, OUTPUT_MAX - 1, 0);

    assert_true(size >= 0);
    text_r[size] = '\0';
    dup2(own, descriptor);
    close(own);
    close(file);
}

/* Runs a line with its number-th call failing; 0: none. */
static void command(const char *line, long number, struct outcome *outcome_r)
{
    char text[TEXT_MAX], *argv[WORDS_MAX];
    int argc = split(line, text, argv), output = memfd_create("output", MFD_CLOEXEC),
        errors = memfd_create("errors", MFD_CLOEXEC), own_output, own_errors;

    assert_true(output >= 0 && errors >= 0);
    fflush(stdout);
    own_output = redirect(STDOUT_FILENO, output);
    own_errors = redirect(STDERR_FILENO, errors);
    fail_call(number);
    outcome_r->status = run(argc, argv);
    calls_succeed();
    fflush(stdout);
    restore(STDERR_FILENO, own_errors, errors, outcome_r->complaint);
    restore(STDOUT_FILENO, own_output, output, outcome_r->output);
}

static void expect_whole_configuration(const char *line, long number)
{
    struct problems *problems = problems_create();
    struct config *config;
    char path[64];

    snprintf(path, sizeof(path), "%s/conf", folder);
    config = config_load(path, problems);
    expect(config != NULL && config->host_count >= 1 && config->hosts[0].key_count >= 2,
           "%s: call %ld, %s: the configuration is harmed", line, number, failing.name);
    config_destroy(&config);
    problems_destroy(&problems);
}

static void test_a_command_does_all_of_it_or_says_that_it_could_not(void **state)
{
    static struct outcome meant, outcome;

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(lines); i++) {
        const char *line = lines[i].line;
        bool writes = strstr(line, "--write") != NULL;
        size_t descriptors = open_descriptors(), hits = 0;

        assert_int_equal(waitpid(daemon_process, NULL, WNOHANG), 0);

        command(line, 0, &meant);
        for (long number = 1; number == 1 || call_failed(); number++) {
            write_files();
            command(line, number, &outcome);
            hits += call_failed() ? 1 : 0;
            expect(outcome.status != CTL_ERROR || outcome.complaint[0] != '\0' ||
                       outcome.output[0] != '\0',
                   "%s: call %ld, %s: no word of why", line, number, failing.name);
            expect(outcome.status != CTL_YES || meant.status == CTL_YES,
                   "%s: call %ld, %s: all is well, it says", line, number, failing.name);
            expect(!lines[i].exact || outcome.status != meant.status || meant.status == CTL_ERROR ||
                       strcmp(outcome.output, meant.output) == 0,
                   "%s: call %ld, %s: it printed\n%s", line, number, failing.name, outcome.output);
            if (writes)
                expect_whole_configuration(line, number);
            expect(open_descriptors() == descriptors, "%s: call %ld, %s: a descriptor stays open",
                   line, number, failing.name);
        }
        expect(hits > 0, "%s: nothing was made to fail", line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_command_does_all_of_it_or_says_that_it_could_not,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
