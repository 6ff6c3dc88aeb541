/*
 * The daemon, in this process, with each of its own calls failing in turn: while it starts, and in a round of all that it is asked
 * for. It starts whole or says why not; it says no yes that was not earned; and it serves as soon as calls succeed again.
 */
#include "failing_calls.h"

#include <sys/mman.h>
#include <sys/un.h>

#include "config/config.h"
#include "daemon/log.h"
#include "daemon/server.h"
#include "state_fixture.h"
#include "token/totp.h"

#define AUTH "auth:alice:example.org:"

static const char configuration[] = "[server]\n"
                                    "listen = %s/a.sock\n"
                                    "[listen mail]\n"
                                    "path = %s/m.sock\n"
                                    "protocol = saslauthd\n"
                                    "host = example.org\n"
                                    "[listen web]\n"
                                    "path = %s/w.sock\n"
                                    "protocol = http\n"
                                    "[control]\n"
                                    "listen = %s/c.sock\n"
                                    "[http]\n"
                                    "listen = unix:%s/h.sock\n"
                                    "[state]\n"
                                    "dir = %s/state\n"
                                    "[replay]\n"
                                    "after_restart = accept\n"
                                    "[host example.org]\n"
                                    "otp_seed = MFZWIZTHNBVGW3DRO5SXE5DZOVUW64DB\n"
                                    "token_secret = gT4mW9xQz2Lr7VbN5kYc8HdJ\n"
                                    "isuser = seen\n";

enum { ANSWER_MAX = 65536, PASSES = 12 };

struct site {
    char folder[32];
    char path[48];
    int errors; /* the daemon's standard error, and this process's own */
    int own_errors;
    struct server *server;
};

static int set_up(void **state)
{
    struct site *site = calloc(1, sizeof(*site));
    FILE *file;

    assert_non_null(site);
    /* Where there is one, in memory: thousands of fsync() cost nothing there. */
    copy_text(site->folder,
              access("/dev/shm", W_OK) == 0 ? "/dev/shm/xa-unit-XXXXXX" : "/tmp/xa-unit-XXXXXX");
    assert_non_null(mkdtemp(site->folder));
    snprintf(site->path, sizeof(site->path), "%s/conf", site->folder);
    file = fopen(site->path, "w");
    assert_non_null(file);
    fprintf(file, configuration, site->folder, site->folder, site->folder, site->folder,
            site->folder, site->folder);
    fclose(file);
    assert_int_equal(chmod(site->path, 0600), 0);
    site->own_errors = dup(STDERR_FILENO);
    site->errors = memfd_create("errors", MFD_CLOEXEC);
    assert_true(site->errors >= 0 && site->own_errors >= 0);
    *state = site;
    return 0;
}

static void remove_tree(const struct site *site, const char *name)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf %s/%s", site->folder, name);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static int tear_down(void **state)
{
    struct site *site = *state;

    remove_tree(site, "");
    close(site->errors);
    close(site->own_errors);
    free(site);
    return 0;
}

/* From here on what the daemon logs is kept, or not any more. */
static void keep_log(const struct site *site, bool keep)
{
    dup2(keep ? site->errors : site->own_errors, STDERR_FILENO);
}

/* Whether it said a word since the last time; then that is forgotten. */
static bool was_logged(const struct site *site, const char *word)
{
    static char text[ANSWER_MAX];
    ssize_t size = pread(site->errors, text, sizeof(text) - 1, 0);

    text[size < 0 ? 0 : size] = '\0';
    assert_int_equal(ftruncate(site->errors, 0), 0);
    lseek(site->errors, 0, SEEK_SET);
    return strstr(text, word) != NULL;
}

static struct config *load(const struct site *site)
{
    struct problems *problems = problems_create();
    struct config *config = config_load(site->path, problems);

    expect(config != NULL, "%s",
           problems_count(problems) > 0 ? problems_at(problems, 0)->text : "");
    problems_destroy(&problems);
    return config;
}

/* Some turns of the loop, in which the calls count. */
static void turns(const struct site *site)
{
    keep_log(site, true);
    hold_calls(false);
    for (int pass = 0; pass < PASSES; pass++)
        assert_int_equal(server_turn(site->server, false), 0);
    hold_calls(true);
    keep_log(site, false);
}

/* Sends a request to one of the sockets, and reads what comes back up to the connection's end. */
static size_t ask(const struct site *site, const char *name, const void *request, size_t size,
                  char answer_r[ANSWER_MAX])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    bool is_web = *name == 'w' || *name == 'h';
    size_t length = 0;
    ssize_t got = 0;
    int client;

    hold_calls(true);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", site->folder, name);
    client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(client, request, size, MSG_NOSIGNAL), size);
    /* The HTTP server takes a client that says no more for one that has gone. */
    if (!is_web)
        shutdown(client, SHUT_WR);
    for (int idle = 0; idle < (is_web ? 9 : 4); idle++) {
        turns(site);
        /* With all its places taken it looks every 50 ms whether one of its clients has gone. */
        if (is_web && idle > 0)
            usleep(10000);
        while ((got = recv(client, answer_r + length, ANSWER_MAX - 1 - length, MSG_DONTWAIT)) > 0)
            length += (size_t)got;
        if (got == 0 || errno != EAGAIN)
            break;
    }
    close(client);
    turns(site);
    answer_r[length] = '\0';
    hold_calls(false);
    return length;
}

static size_t ask_text(const struct site *site, const char *name, const char *request,
                       char answer_r[ANSWER_MAX])
{
    return ask(site, name, request, strlen(request), answer_r);
}

/* A token that was never presented, of a time step so many from now. */
static void mint_ahead(const struct site *site, int64_t steps, char token_r[TOKEN_LENGTH_MAX + 1])
{
    static unsigned long long count;
    const struct host *host = config_host(site->server->config, "example.org", 11);
    char nonce[33];

    hold_calls(true);
    snprintf(nonce, sizeof(nonce), "%032llu", ++count);
    assert_int_equal(
        token_mint(host->keys[0], &host->format, "alice", "example.org",
                   totp_step(moment_seconds(moment_now()), host->format.interval) + steps, nonce,
                   token_r),
        0);
    hold_calls(false);
}

static void mint(const struct site *site, char token_r[TOKEN_LENGTH_MAX + 1])
{
    mint_ahead(site, 0, token_r);
}

/* Whether a fresh token is let in, at once or within some seconds. One of the step that comes will do: what could not be read at the
 * start of this one's record closes this one. */
static bool serves(const struct site *site)
{
    char token[TOKEN_LENGTH_MAX + 1], question[256], answer[ANSWER_MAX];

    for (int tries = 0; tries < 200; tries++) {
        mint_ahead(site, tries % 2, token);
        snprintf(question, sizeof(question), AUTH "%s\n", token);
        if (ask_text(site, "a.sock", question, answer) == 2 && strcmp(answer, "1\n") == 0)
            return true;
        usleep(20000);
    }
    return false;
}

/* The daemon starts, which takes the configuration. */
static struct server *start(const struct site *site, struct config *config, long failing_call)
{
    struct server *server;

    keep_log(site, true);
    fail_call(failing_call);
    server = server_create(config);
    calls_succeed();
    keep_log(site, false);
    return server;
}

/* A record of one login, for the next start to read. */
static void begin_record(struct site *site)
{
    remove_tree(site, "state");
    site->server = start(site, load(site), 0);
    assert_non_null(site->server);
    assert_true(serves(site));
    server_destroy(&site->server);
}

static void test_it_starts_or_says_why_not(void **state)
{
    struct site *site = *state;
    size_t descriptors = 0, refused = 0;

    for (long number = 1; number == 1 || call_failed(); number++) {
        struct config *config;

        begin_record(site);
        config = load(site);
        if (number == 1)
            descriptors = open_descriptors();
        was_logged(site, "");
        site->server = start(site, config, number);
        refused += site->server == NULL ? 1 : 0;
        expect(site->server != NULL || was_logged(site, "level=error") ||
                   strcmp(failing.name, "write") == 0,
               "call %ld, %s: no word of why", number, failing.name);
        expect(site->server == NULL || serves(site), "call %ld, %s: it started, and does not serve",
               number, failing.name);
        server_destroy(&site->server);
        expect(open_descriptors() == descriptors, "call %ld, %s: a descriptor stays open", number,
               failing.name);
    }
    expect(refused > 60, "only %zu calls were missed", refused);
}

/* What the operator asks; each is answered with lines, or not at all. */
static const char *const commands[] = {
    "status\n",
    "keys\n",
    "keys example.org\n",
    "why alice@example.org\n",
    "deny mallory@example.org\n",
    "denied\n",
    "allow mallory@example.org\n",
    "users import bob@example.org carol@example.org\n",
    "users list\n",
    "users forget bob@example.org\n",
};

static const char *const pages[] = {"/metrics", "/healthz", "/readyz", "/none"};

static void ask_for_pages(const struct site *site)
{
    char request[128], answer[ANSWER_MAX];

    for (size_t i = 0; i < LENGTH_OF(pages); i++) {
        snprintf(request, sizeof(request),
                 "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", pages[i]);
        ask_text(site, "h.sock", request, answer);
    }
}

/* A password through the two other doors; whether it was let in. */
static bool ask_web(const struct site *site, const char *password)
{
    char form[512], request[1024], answer[ANSWER_MAX];
    size_t length = (size_t)snprintf(form, sizeof(form), "user=alice&server=example.org&pass=");

    for (; *password != '\0'; password++)
        length += (size_t)snprintf(form + length, sizeof(form) - length, "%%%02x",
                                   (unsigned char)*password);
    snprintf(request, sizeof(request),
             "POST /check_password HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n%s",
             strlen(form), form);
    ask_text(site, "w.sock", request, answer);
    return strstr(answer, "\r\n\r\ntrue") != NULL;
}

static bool ask_mail(const struct site *site, const char *password)
{
    const char *const fields[] = {"alice", password, "xmpp", "example.org"};
    uint8_t request[512];
    size_t size = 0;
    char answer[ANSWER_MAX];

    for (size_t i = 0; i < LENGTH_OF(fields); i++) {
        size_t length = strlen(fields[i]);

        request[size++] = (uint8_t)(length >> 8);
        request[size++] = (uint8_t)length;
        memcpy(request + size, fields[i], length);
        size += length;
    }
    return ask(site, "m.sock", request, size, answer) == 4 && memcmp(answer + 2, "OK", 2) == 0;
}

/* A login, the same token again, a forged one, and a user who was never seen: how often yes was said to the first two. */
static int ask_lines(const struct site *site, const char *token, long number)
{
    char forged[TOKEN_LENGTH_MAX + 1], questions[1024], answer[ANSWER_MAX];
    int earned = 0;

    copy_text(forged, token);
    forged[0] = forged[0] == '0' ? '1' : '0';
    snprintf(questions, sizeof(questions),
             AUTH "%s\n" AUTH "%s\n" AUTH "%s\nisuser:nobody:example.org\n", token, token, forged);
    ask_text(site, "a.sock", questions, answer);
    for (size_t i = 0; answer[i] != '\0'; i += 2) {
        expect(answer[i] == '0' || answer[i] == '1', "call %ld, %s: answered %s", number,
               failing.name, answer);
        expect(i < 4 || answer[i] == '0', "call %ld, %s: yes to what earns none", number,
               failing.name);
        earned += answer[i] == '1' ? 1 : 0;
    }
    return earned;
}

static void whole_round(struct site *site, long number)
{
    char tokens[3][TOKEN_LENGTH_MAX + 1], answer[ANSWER_MAX];
    int earned[3] = {0};

    for (size_t i = 0; i < LENGTH_OF(tokens); i++)
        mint(site, tokens[i]);
    earned[0] = ask_lines(site, tokens[0], number);
    earned[1] = ask_web(site, tokens[1]) ? 1 : 0;
    earned[2] = ask_mail(site, tokens[2]) ? 1 : 0;
    for (size_t i = 0; i < LENGTH_OF(commands); i++)
        ask_text(site, "c.sock", commands[i], answer);
    ask_for_pages(site);
    /* As a timeout it would put off the next one. */
    event_active(site->server->tick, EV_READ, 1);
    event_active(site->server->signals[2], EV_SIGNAL, 1);
    turns(site);
    calls_succeed();
    earned[0] += ask_lines(site, tokens[0], number);
    earned[1] += ask_web(site, tokens[1]) ? 1 : 0;
    earned[2] += ask_mail(site, tokens[2]) ? 1 : 0;
    for (size_t i = 0; i < LENGTH_OF(tokens); i++)
        expect(earned[i] <= 1, "call %ld, %s: token %zu was spent %d times", number, failing.name,
               i, earned[i]);
    expect(number > 0 || (earned[0] == 1 && earned[1] == 1 && earned[2] == 1),
           "not all doors are open: %d %d %d", earned[0], earned[1], earned[2]);
}

/* Whether only so many descriptors stay open; the HTTP server looks once a second who has gone. */
static bool closes_all(const struct site *site, size_t descriptors)
{
    for (int tries = 0; tries < 200 && open_descriptors() != descriptors; tries++) {
        turns(site);
        usleep(20000);
    }
    return open_descriptors() == descriptors;
}

static void test_it_says_no_yes_that_was_not_earned_and_serves_again(void **state)
{
    struct site *site = *state;
    size_t descriptors = 0;

    site->server = start(site, load(site), 0);
    assert_non_null(site->server);
    assert_true(serves(site));
    descriptors = open_descriptors();
    whole_round(site, 0);
    for (long number = 1; number == 1 || call_failed(); number++) {
        fail_call(number);
        whole_round(site, number);
        expect(serves(site), "call %ld, %s: it does not serve any more", number, failing.name);
        was_logged(site, "");
    }
    assert_true(closes_all(site, descriptors));
    server_destroy(&site->server);
}

/* Each of the two HTTP servers looks once a second who has gone, and plans its next look. Whom the loop
 * refuses that goes on looking all the same: a third refusal comes, and nobody's descriptor stays. */
static void test_a_look_that_can_not_be_planned_anew_is_not_the_last(void **state)
{
    struct site *site = *state;
    size_t descriptors = 0;
    int refused = 0;

    site->server = start(site, load(site), 0);
    assert_non_null(site->server);
    assert_true(serves(site));
    descriptors = open_descriptors();
    for (int tries = 0; tries < 2000 && refused < 3; tries++) {
        fail_call_of("event_add", 1);
        turns(site);
        refused += call_failed() ? 1 : 0;
        usleep(5000);
    }
    calls_succeed();
    assert_int_equal(refused, 3);
    ask_for_pages(site);
    assert_true(closes_all(site, descriptors));
    server_destroy(&site->server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_starts_or_says_why_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_it_says_no_yes_that_was_not_earned_and_serves_again,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_look_that_can_not_be_planned_anew_is_not_the_last,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
