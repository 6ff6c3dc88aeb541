/*
 * A client against the real event loop. The input is a script: which questions, in which framing, written in which pieces, and
 * when answers are read. A model says what each answer must be; what the client reads is exactly that, in that order, and
 * nothing else.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/rand.h>

#include "choices.h"
#include "daemon/connection.h"
#include "daemon/log.h"
#include "daemon/server.h"
#include "expect.h"
#include "memory_file.h"
#include "token/token.h"

#define USER "alice"
#define HOST "example.org"

enum { QUESTIONS_MAX = 40, STREAM_MAX = 64 * 1024, NONCE_DIGITS = 32 };

static const char configuration[] =
    "[server]\n"
    "listen = %s/auth.sock\n"
    "max_request = 2000\n"
    "max_pending = 1k\n"
    "request_timeout = 1h\n" /* of which a machine that is suspended takes some */
    "[replay]\n"
    "store = memory\n"
    "after_restart = accept\n"
    "[log]\n"
    "level = error\n";

/* So many that the daemon looks ahead; each has a key of its own. */
enum { HOSTS = MANY_HOSTS + 6, NAME_SIZE = 48, SECTION_SIZE = 256 };

static const char section[] = "[host %s]\n"
                              "otp_seed = ZCI43OMHVV2CYZIRQSEEBLGZS7EFSNPU\n"
                              "token_secret = o4JbTqRzBmYH0kPq7dZx1VtGwLsCfN%02zu\n"
                              "isuser = seen\n";

static struct server *server;
static bool seen;

/* The first as the users of isuser know it, one that is longer than what is at hand, and others. */
static void name_host(size_t number, char name_r[NAME_SIZE])
{
    if (number == 0)
        snprintf(name_r, NAME_SIZE, "%s", HOST);
    else if (number == 1)
        snprintf(name_r, NAME_SIZE, "a-name-of-more-than-23-bytes.example.org");
    else
        snprintf(name_r, NAME_SIZE, "h%02zu.example.org", number);
}

/* What the client is to send, and what it must read. */
struct script {
    const struct protocol *protocol;
    uint8_t stream[STREAM_MAX];
    size_t stream_size;
    uint8_t answers[QUESTIONS_MAX * ANSWER_SIZE_MAX];
    size_t answers_size;
    bool ends; /* with a question that can't be framed */
    bool understands_try_again;
    char spent[TOKEN_LENGTH_MAX + 1]; /* the token accepted last; "": none yet */
    size_t spent_host;
    int64_t began; /* seconds since the epoch */
};

/* Whether a token of the script may be too old by now: a conversation takes no half a minute but where the
 * machine is suspended meanwhile. Then it tells nothing. */
static bool is_outdated(const struct script *script)
{
    return moment_seconds(moment_now()) - script->began >= 30;
}

/* Nobody connects through the sockets: they are gone as soon as the server has made them. */
static void remove_folder(const char *folder)
{
    static const char *const names[] = {"auth.sock", "control.sock"};
    char path[64];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        EXPECT(unlink(path) == 0);
    }
    EXPECT(rmdir(folder) == 0);
}

/* Before there is a secure heap: what OpenSSL's random numbers need would be held from there alone, where the search for leaks does
 * not look. */
static void draw_random_numbers(void)
{
    unsigned char byte;

    EXPECT(RAND_bytes(&byte, 1) == 1 && RAND_priv_bytes(&byte, 1) == 1);
}

static void start(void)
{
    char folder[] = "/tmp/xmpp-authd-fuzz-XXXXXX";
    char text[sizeof(configuration) + sizeof(folder) + (size_t)HOSTS * SECTION_SIZE];
    struct problems *problems = problems_create();
    struct config *config;
    int size;

    draw_random_numbers();
    EXPECT(problems != NULL && mkdtemp(folder) != NULL);
    size = snprintf(text, sizeof(text), configuration, folder);
    for (size_t i = 0; i < HOSTS; i++) {
        char name[NAME_SIZE];

        name_host(i, name);
        size += snprintf(text + size, SECTION_SIZE, section, name, i);
    }
    config = config_load(memory_file((const uint8_t *)text, (size_t)size), problems);
    problems_print(problems, stderr);
    EXPECT(config != NULL);
    problems_destroy(&problems);
    log_set_level(LOG_LEVEL_ERROR);
    server = server_create(config);
    EXPECT(server != NULL);
    remove_folder(folder);
}

/* A genuine token of a host and of a time step before now, or of now's; no two are the same. */
static void mint(size_t number, int64_t steps_ago, char token_r[TOKEN_LENGTH_MAX + 1])
{
    static unsigned long long count;
    const struct host *host = &server->config->hosts[number];
    int64_t step = totp_step(moment_seconds(moment_now()), host->format.interval) - steps_ago;
    char nonce[NONCE_DIGITS + 1];

    snprintf(nonce, sizeof(nonce), "%0*llu", NONCE_DIGITS, ++count);
    EXPECT(token_mint(host->keys[0], &host->format, USER, host->name, step, nonce, token_r) == 0);
}

/* The host of a script's next login: now this one, now that. */
static size_t next_host(const struct script *script)
{
    return script->stream_size % 8 == 0 ? 0 : script->stream_size % HOSTS;
}

static void add_answer(struct script *script, enum answer answer)
{
    script->protocol->encode(answer, script->answers + script->answers_size);
    script->answers_size += script->protocol->answer_size;
}

/* Frames a text that has no LF, where the framing is by lines. */
static void add_frame(struct script *script, const char *text, size_t length, size_t announced)
{
    uint8_t *place = script->stream + script->stream_size;

    if (script->protocol == &protocol_ejabberd) {
        *place++ = (uint8_t)(announced >> 8);
        *place++ = (uint8_t)announced;
    }
    memcpy(place, text, length);
    place += length;
    if (script->protocol == &protocol_generic)
        *place++ = '\n';
    script->stream_size = (size_t)(place - script->stream);
}

static void add_text(struct script *script, const char *text, enum answer answer)
{
    add_frame(script, text, strlen(text), strlen(text));
    add_answer(script, answer);
}

static void add_login(struct script *script, size_t host, const char *token, enum answer answer)
{
    char text[sizeof("auth:" USER "::") + NAME_SIZE + TOKEN_LENGTH_MAX];

    snprintf(text, sizeof(text), "auth:%s:%s:%s", USER, server->config->hosts[host].name, token);
    add_text(script, text, answer);
}

static void add_genuine(struct script *script)
{
    script->spent_host = next_host(script);
    mint(script->spent_host, 0, script->spent);
    add_login(script, script->spent_host, script->spent, ANSWER_YES);
    seen |= script->spent_host == 0;
}

/* A token of the host before it, whose key is another. */
static void add_of_another(struct script *script)
{
    char token[TOKEN_LENGTH_MAX + 1];
    size_t host = next_host(script);

    mint((host + HOSTS - 1) % HOSTS, 0, token);
    add_login(script, host, token, ANSWER_NO);
}

static void add_forged(struct script *script, struct choices *choices)
{
    char token[TOKEN_LENGTH_MAX + 1];
    size_t place;

    mint(next_host(script), 0, token);
    place = choose(choices, strlen(token) - 1);
    token[place] = token[place] == '0' ? '1' : '0';
    add_login(script, next_host(script), token, ANSWER_NO);
}

/* Bytes that the rules for fields refuse: a control byte stands among them. Neither LF nor, at the beginning, a byte that
 * would choose the other framing. */
static void add_garbage(struct script *script, struct choices *choices)
{
    const uint8_t *bytes;
    size_t size = choose_bytes(choices, choose(choices, 64), &bytes);
    char text[80] = "isuser:";
    size_t length = 7;

    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != '\n')
            text[length++] = (char)bytes[i];
    }
    text[length++] = '\x01';
    add_frame(script, text, length, length);
    add_answer(script, ANSWER_NO);
}

static void add_too_long(struct script *script)
{
    static char text[2100];

    memset(text, 'x', sizeof(text));
    add_frame(script, text, sizeof(text), sizeof(text));
    add_answer(script, ANSWER_NO);
    script->ends = true;
}

static void add_try_again(struct script *script)
{
    bool counts = script->answers_size == 0 && script->protocol == &protocol_ejabberd;

    script->understands_try_again |= counts;
    add_text(script, "features:tryagain", counts ? ANSWER_YES : ANSWER_NO);
}

static void add_question(struct script *script, struct choices *choices)
{
    char token[TOKEN_LENGTH_MAX + 1];

    switch (choose(choices, 10)) {
    case 0:
        add_genuine(script);
        break;
    case 1:
        if (script->spent[0] != '\0')
            add_login(script, script->spent_host, script->spent, ANSWER_NO);
        break;
    case 2:
        add_forged(script, choices);
        break;
    case 3:
        mint(next_host(script), 4 + (int64_t)choose(choices, 400), token);
        add_login(script, next_host(script), token, ANSWER_NO);
        break;
    case 4:
        add_text(script, "isuser:" USER ":" HOST, seen ? ANSWER_YES : ANSWER_NO);
        break;
    case 5:
        add_text(script, "isuser:nobody:" HOST, ANSWER_NO);
        break;
    case 6:
        add_text(script, "setpass:" USER ":" HOST ":secret", ANSWER_NO);
        break;
    case 7:
        add_garbage(script, choices);
        break;
    case 8:
        add_try_again(script);
        break;
    default:
        switch (choose(choices, 4)) {
        case 0:
            add_too_long(script);
            break;
        case 1:
            add_of_another(script);
            break;
        default:
            break;
        }
        break;
    }
}

static void turns(int count)
{
    while (count-- > 0)
        EXPECT(server_turn(server, false) == 0);
}

/* Reads at most `most` bytes and compares them with what is due; how many there were, -1 at the end. */
static ssize_t read_some(int client, const struct script *script, size_t *have, size_t most)
{
    uint8_t bytes[256];
    ssize_t got = recv(client, bytes, most < sizeof(bytes) ? most : sizeof(bytes), MSG_DONTWAIT);

    if (got < 0) {
        EXPECT(errno == EAGAIN || errno == ECONNRESET);
        return errno == EAGAIN ? 0 : -1;
    }
    if (got == 0)
        return -1;
    EXPECT(*have + (size_t)got <= script->answers_size);
    EXPECT(memcmp(bytes, script->answers + *have, (size_t)got) == 0 || is_outdated(script));
    *have += (size_t)got;
    return got;
}

static void converse(const struct script *script, struct choices *choices, int client)
{
    size_t sent = 0, have = 0;
    int idle;

    while (sent < script->stream_size) {
        size_t piece = 1 + choose(choices, choose(choices, 2) == 0 ? 16 : 4096);
        size_t left = script->stream_size - sent;
        ssize_t written = send(client, script->stream + sent, piece < left ? piece : left,
                               MSG_DONTWAIT | MSG_NOSIGNAL);

        /* Behind a question that can't be framed the connection is closed. */
        EXPECT(written > 0 || errno == EAGAIN || script->ends);
        if (written < 0 && errno != EAGAIN)
            break;
        sent += written > 0 ? (size_t)written : 0;
        /* A full buffer is emptied by the server alone. */
        turns((int)choose(choices, 3) + (written < 0));
        if (choose(choices, 2) == 0 &&
            read_some(client, script, &have, 1 + choose(choices, 64)) < 0)
            break;
    }
    shutdown(client, SHUT_WR);
    for (idle = 0; idle < 100; idle++) {
        ssize_t got;

        turns(1);
        while ((got = read_some(client, script, &have, 256)) > 0)
            idle = 0;
        if (got < 0)
            break;
    }
    EXPECT(idle < 100);
    EXPECT(have == script->answers_size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct script script;
    struct choices choices = {data, size};
    int pair[2];

    if (server == NULL)
        start();
    memset(&script, 0, sizeof(script));
    script.began = moment_seconds(moment_now());
    script.protocol = choose(&choices, 2) == 0 ? &protocol_generic : &protocol_ejabberd;
    for (size_t count = choose(&choices, QUESTIONS_MAX); count > 0 && !script.ends; count--)
        add_question(&script, &choices);
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    EXPECT(connection_open(server, pair[0], 0) == 0);
    converse(&script, &choices, pair[1]);
    close(pair[1]);
    turns(2);
    EXPECT(server->connection_count == 0);
    /* Whom it has seen is not what the script says. */
    if (is_outdated(&script)) {
        server_destroy(&server);
        seen = false;
    }
    return 0;
}
