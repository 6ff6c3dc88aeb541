/*
 * Asks the real event loop known questions, kind by kind, under callgrind, which counts what they cost:
 *
 *     valgrind --tool=callgrind --collect-atstart=no count-questions DIRECTORY
 *
 * makes a dump for each store, framing and kind, with these as its description; QUESTIONS questions each,
 * all answers looked at. DIRECTORY is an absolute path, empty, and its owner's alone.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <valgrind/callgrind.h>

#include "config/problems.h"
#include "daemon/connection.h"
#include "daemon/log.h"
#include "daemon/server.h"
#include "token/token.h"

#define HOST "example.org"

/* A turn takes DEPTH questions, or one where they are asked in ping-pong. */
enum { QUESTIONS = 512, DEPTH = 64, QUESTION_MAX = 512, USERS = 100 };

enum kind {
    ALLOWED_V1,
    REPLAYED,
    FORGED,
    MALFORMED,
    EXPIRED,
    ALLOWED_V2,
    IS_USER,
    UNSUPPORTED,
    UNKNOWN_HOST,
    KIND_COUNT
};

static const struct {
    const char *word;
    enum answer answer;
} kinds[KIND_COUNT] = {
    [ALLOWED_V1] = {"allowed-v1", ANSWER_YES},
    [REPLAYED] = {"replayed", ANSWER_NO},
    [FORGED] = {"forged", ANSWER_NO},
    [MALFORMED] = {"malformed", ANSWER_NO},
    [EXPIRED] = {"expired", ANSWER_NO},
    [ALLOWED_V2] = {"allowed-v2", ANSWER_YES},
    [IS_USER] = {"isuser", ANSWER_YES},
    [UNSUPPORTED] = {"unsupported", ANSWER_NO},
    [UNKNOWN_HOST] = {"unknown-host", ANSWER_NO},
};

static const char configuration[] = "[server]\n"
                                    "listen = %s/auth.sock\n"
                                    "[state]\n"
                                    "dir = %s/state\n"
                                    "[replay]\n"
                                    "store = %s\n"
                                    "after_restart = accept\n"
                                    "[log]\n"
                                    "level = error\n"
                                    "[host " HOST "]\n"
                                    "otp_seed = ZCI43OMHVV2CYZIRQSEEBLGZS7EFSNPU\n"
                                    "token_secret = o4JbTqRzBmYH0kPq7dZx1VtGwLsCfNuE\n"
                                    "otp_interval = 300\n"
                                    "accept = v1 v2\n";

/* Whole frames, the one behind the other. */
struct batch {
    const struct protocol *protocol;
    uint8_t bytes[QUESTIONS * QUESTION_MAX];
    size_t ends[QUESTIONS];
    enum answer answer;
};

static struct server *server;
static int client; /* the other end of a connection to it */

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "count-questions: %s\n", what);
    exit(EXIT_FAILURE);
}

static void start(const char *directory, const char *store)
{
    struct problems *problems = problems_create();
    char path[256];
    struct config *config;
    FILE *file;

    snprintf(path, sizeof(path), "%s/authd.conf", directory);
    file = fopen(path, "w");
    require(file != NULL && problems != NULL, "no configuration");
    fprintf(file, configuration, directory, directory, store);
    fclose(file);
    config = config_load(path, problems);
    problems_print(problems, stderr);
    require(config != NULL, "the configuration is not taken");
    server = server_create(config);
    require(server != NULL, "no server");
    problems_destroy(&problems);
    /* What falls due once a second would fall to one kind or another. */
    event_del(server->tick);
    /* Where users stand in it must not depend on chance. */
    memset(server->authority.book.recorder.key, 1, SIPHASH_KEY_SIZE);
}

/* A new connection to it: its first byte tells which framing it has. */
static void connect_client(void)
{
    int ends[2];

    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0 &&
                connection_open(server, ends[0], 0) == 0,
            "no connection");
    client = ends[1];
}

/* --- questions */

static void mint(enum kind kind, const char *user, char token_r[V2_LENGTH_MAX + 1])
{
    static unsigned long long count;
    const struct host *host = config_host(server->config, HOST, sizeof(HOST) - 1);
    int64_t now = moment_seconds(moment_now());
    int64_t step = totp_step(now, host->format.interval) - (kind == EXPIRED ? 100 : 0);
    char nonce[NONCE_DIGITS_MAX + 1];
    int result;

    snprintf(nonce, sizeof(nonce), "%0*llu", (int)host->format.nonce_digits, ++count);
    if (kind == ALLOWED_V2)
        result = token_v2_mint(host->keys[0], &host->key_fingerprints[0], user, HOST, now, 60,
                               (const uint8_t *)nonce + 32 - V2_NONCE_SIZE, token_r);
    else
        result = token_mint(host->keys[0], &host->format, user, HOST, step, nonce, token_r);
    require(result == 0, "no token");
    if (kind == FORGED)
        token_r[50] = token_r[50] == 'A' ? 'B' : 'A';
    else if (kind == MALFORMED)
        token_r[1] = 'x';
}

static void write_text(enum kind kind, size_t number, char text_r[QUESTION_MAX])
{
    char token[V2_LENGTH_MAX + 1], user[32];
    const char *host = kind == UNKNOWN_HOST ? "example.net" : HOST;
    const char *word = kind == UNSUPPORTED ? "setpass" : "auth";

    snprintf(user, sizeof(user), "user%07zu", number % USERS);
    mint(kind, user, token);
    if (kind == IS_USER)
        snprintf(text_r, QUESTION_MAX, "isuser:%s:%s", user, host);
    else
        snprintf(text_r, QUESTION_MAX, "%s:%s:%s:%s", word, user, host, token);
}

static void fill(struct batch *batch, const struct protocol *protocol, enum kind kind)
{
    uint8_t *at = batch->bytes;

    batch->protocol = protocol;
    batch->answer = kinds[kind].answer;
    for (size_t i = 0; i < QUESTIONS; i++) {
        char text[QUESTION_MAX];
        size_t length;

        write_text(kind, i + 1, text);
        length = strlen(text);
        if (protocol == &protocol_ejabberd) {
            *at++ = (uint8_t)(length >> 8);
            *at++ = (uint8_t)length;
        }
        memcpy(at, text, length);
        at += length;
        if (protocol == &protocol_generic)
            *at++ = '\n';
        batch->ends[i] = (size_t)(at - batch->bytes);
    }
}

/* --- answers */

/* Depth questions in a turn of the loop, until all are answered. */
static void answer_batch(const struct batch *batch, size_t depth, uint8_t *answers_r)
{
    size_t begin = 0;

    for (size_t i = 0; i < QUESTIONS; i += depth) {
        size_t end = batch->ends[i + depth - 1];
        size_t size = depth * batch->protocol->answer_size;

        require(send(client, batch->bytes + begin, end - begin, 0) == (ssize_t)(end - begin) &&
                    server_turn(server, false) == 0 &&
                    recv(client, answers_r, size, 0) == (ssize_t)size,
                "a turn is not what it should be");
        answers_r += size;
        begin = end;
    }
}

static void check(const struct batch *batch, const uint8_t *answers, const char *word)
{
    uint8_t expected[ANSWER_SIZE_MAX];
    size_t size = batch->protocol->answer_size;

    batch->protocol->encode(batch->answer, expected);
    for (size_t i = 0; i < QUESTIONS; i++)
        require(memcmp(answers + i * size, expected, size) == 0, word);
}

static void count(const char *store, const struct batch *batch, const char *word, size_t depth)
{
    uint8_t answers[QUESTIONS * ANSWER_SIZE_MAX];
    char name[128];

    snprintf(name, sizeof(name), "%s %s %s%s", store, batch->protocol->word, word,
             depth == 1 ? "-ping-pong" : "");
    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;
    answer_batch(batch, depth, answers);
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT(name);
    check(batch, answers, word);
}

static void count_all(const char *store, const struct protocol *protocol)
{
    static struct batch batch;

    connect_client();
    for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
        /* Those of the kind before are presented again. */
        if (kind == REPLAYED)
            batch.answer = ANSWER_NO;
        else
            fill(&batch, protocol, kind);
        count(store, &batch, kinds[kind].word, DEPTH);
    }
    fill(&batch, protocol, ALLOWED_V1);
    count(store, &batch, kinds[ALLOWED_V1].word, 1);
    close(client);
}

int main(int argc, char **argv)
{
    static const char *const stores[] = {"memory", "journal"};
    char state[256];

    require(argc == 2, "usage: count-questions DIRECTORY");
    snprintf(state, sizeof(state), "%s/state", argv[1]);
    require(mkdir(state, 0700) == 0, "no directory for the state");
    umask(077);
    log_init();
    log_set_level(LOG_LEVEL_ERROR);
    for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
        start(argv[1], stores[i]);
        count_all(stores[i], &protocol_generic);
        count_all(stores[i], &protocol_ejabberd);
        server_destroy(&server);
    }
    return EXIT_SUCCESS;
}
