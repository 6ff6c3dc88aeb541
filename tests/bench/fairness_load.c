/*
 * Clients in ping-pong, alone and beside others that take more than their share or are up to no
 * good:
 *
 *     fairness-load --key FILE --socket PATH [--clients N] [--ms N] [--rounds N]
 *                   [--reloaded CONFIG] PHASE...
 *
 * Each round has each phase once, for so many milliseconds, the order changing:
 *
 *     alone         nobody else
 *     pipeline      one more client, that asks good questions as fast as it can
 *     KIND@RATE     one more client, that asks so many questions of a kind a second
 *     reload=FILE   nobody else, but FILE is put in the place of CONFIG, and the server gets SIGHUP
 *
 * Prints a line for each phase of each round. Fails where an answer is not what it must be.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "latency.h"
#include "phase.h"

enum { CLIENTS_MAX = 64, PHASES_MAX = 16, CHUNK = 64, SILENCE_MS = 10000 };
enum { FRAME_SIZE = MINT_QUESTION_LENGTH + 1, ANSWER_SIZE = 2 };
enum { PIPELINE_QUESTIONS = 100000, WARM_MS = 20 };

struct pinger {
    int descriptor;
    size_t received; /* bytes of an answer */
    int64_t asked_ns;
};

struct bench {
    const char *path;
    const char *reloaded;
    struct minter *minter;
    size_t clients;
    size_t rounds;
    int64_t phase_ns;
    struct phase phases[PHASES_MAX];
    size_t phase_count;

    int epoll;
    pid_t server;
    clockid_t server_clock;
    struct pinger pingers[CLIENTS_MAX];
    int flooder;
    uint8_t *questions; /* of the flood */
    size_t question_count;
    size_t sent; /* questions of it, whole or not */
    size_t sent_bytes;
    size_t answered_bytes;
    size_t flood_yes;
    size_t unanswered; /* of the clients in ping-pong */
    size_t answered;
    struct latency latency;
    int64_t worst_ns;
};

static int fail(const char *what)
{
    perror(what);
    return -1;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec time = {0};

    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int connect_to(const struct bench *bench, bool waits)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | (waits ? 0 : SOCK_NONBLOCK), 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", bench->path);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&address, sizeof(address)) != 0)
        return fail("connect");
    return descriptor;
}

static int watch(const struct bench *bench, int descriptor, void *who)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};

    return epoll_ctl(bench->epoll, EPOLL_CTL_ADD, descriptor, &event);
}

/* --- the clients in ping-pong */

static int ping(struct bench *bench, struct pinger *pinger)
{
    uint8_t frame[FRAME_SIZE];
    struct minted minted = {0};

    if (minter_mint(bench->minter, time(NULL), &minted) != 0)
        return -1;
    framing_write(framing_find("generic"), minted.question, frame);
    pinger->received = 0;
    pinger->asked_ns = clock_ns(CLOCK_MONOTONIC);
    bench->unanswered++;
    return send(pinger->descriptor, frame, sizeof(frame), MSG_NOSIGNAL) == sizeof(frame)
               ? 0
               : fail("send");
}

/* An answer is two bytes, and comes in one piece or in two. */
static int take_pong(struct bench *bench, struct pinger *pinger, bool goes_on)
{
    uint8_t answer[ANSWER_SIZE + 1];
    ssize_t got = recv(pinger->descriptor, answer, sizeof(answer), 0);
    int64_t took;

    if (got <= 0 || pinger->received + (size_t)got > ANSWER_SIZE ||
        (pinger->received == 0 && answer[0] != '1'))
        return fail("a fresh token was not answered yes");
    pinger->received += (size_t)got;
    if (pinger->received < ANSWER_SIZE)
        return 0;
    took = clock_ns(CLOCK_MONOTONIC) - pinger->asked_ns;
    latency_add(&bench->latency, took, 1);
    bench->worst_ns = took > bench->worst_ns ? took : bench->worst_ns;
    bench->unanswered--;
    bench->answered++;
    return goes_on ? ping(bench, pinger) : 0;
}

/* --- the flood */

/* How many questions may have been sent by now. */
static size_t due(const struct bench *bench, const struct phase *phase, int64_t passed_ns)
{
    double so_far = phase->rate * (double)passed_ns / 1e9;

    if (phase->rate == INFINITY)
        return bench->sent + CHUNK;
    return so_far < (double)bench->question_count ? (size_t)so_far : bench->question_count;
}

/* Sends so many bytes of the flood from where it stopped before, as far as there is room. */
static int send_flood(struct bench *bench, size_t size)
{
    size_t all = bench->question_count * FRAME_SIZE;
    size_t from = bench->sent_bytes % all;
    ssize_t sent = 0;

    if (size > 0)
        sent = send(bench->flooder, bench->questions + from, size > all - from ? all - from : size,
                    MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN ? 0 : fail("send of the flood");
    bench->sent_bytes += (size_t)sent;
    bench->sent = bench->sent_bytes / FRAME_SIZE;
    return 0;
}

/* What is due, CHUNK questions at the most. */
static int flood(struct bench *bench, const struct phase *phase, int64_t passed_ns)
{
    size_t end = due(bench, phase, passed_ns);

    end = end > bench->sent + CHUNK ? bench->sent + CHUNK : end;
    return end * FRAME_SIZE <= bench->sent_bytes
               ? 0
               : send_flood(bench, end * FRAME_SIZE - bench->sent_bytes);
}

/* The rest of a question that was sent in part. */
static int finish_question(struct bench *bench)
{
    return send_flood(bench, (FRAME_SIZE - bench->sent_bytes % FRAME_SIZE) % FRAME_SIZE);
}

static int take_flood_answers(struct bench *bench)
{
    uint8_t answers[64 * 1024];
    ssize_t got = recv(bench->flooder, answers, sizeof(answers), 0);

    if (got <= 0)
        return fail("the flood's connection was closed");
    for (ssize_t i = 0; i < got; i++)
        bench->flood_yes += answers[i] == '1';
    bench->answered_bytes += (size_t)got;
    return 0;
}

/* --- phases */

/* Takes what came; clients in ping-pong ask again where they go on. */
static int serve(struct bench *bench, int timeout_ms, bool goes_on)
{
    struct epoll_event events[CLIENTS_MAX + 1];
    int count = epoll_wait(bench->epoll, events, CLIENTS_MAX + 1, timeout_ms);

    for (int i = 0; i < count; i++) {
        void *who = events[i].data.ptr;

        if ((who == bench ? take_flood_answers(bench) : take_pong(bench, who, goes_on)) != 0)
            return -1;
    }
    return count == 0 && timeout_ms == SILENCE_MS ? fail("the server is silent") : 0;
}

static int drain(struct bench *bench)
{
    while (bench->unanswered > 0 || bench->answered_bytes < bench->sent * ANSWER_SIZE ||
           bench->sent_bytes % FRAME_SIZE != 0) {
        if (finish_question(bench) != 0 || serve(bench, SILENCE_MS, false) != 0)
            return -1;
    }
    return 0;
}

static int run_clients(struct bench *bench, const struct phase *phase, int64_t began,
                       int64_t length)
{
    int64_t passed = 0;

    for (size_t i = 0; i < bench->clients; i++) {
        if (ping(bench, &bench->pingers[i]) != 0)
            return -1;
    }
    while (passed < length) {
        bool is_flood = phase != NULL && phase->rate > 0;

        if ((is_flood && flood(bench, phase, passed) != 0) ||
            serve(bench, is_flood ? 0 : SILENCE_MS, true) != 0)
            return -1;
        passed = clock_ns(CLOCK_MONOTONIC) - began;
    }
    return drain(bench);
}

static void forget_flood(struct bench *bench)
{
    bench->sent = bench->sent_bytes = bench->answered_bytes = bench->flood_yes = 0;
}

static int prepare_flood(struct bench *bench, const struct phase *phase)
{
    double wanted = phase->rate * (double)bench->phase_ns / 1e9;
    size_t count = phase->rate == INFINITY ? PIPELINE_QUESTIONS : (size_t)wanted;

    forget_flood(bench);
    if (phase->rate == 0)
        return 0;
    free(bench->questions);
    bench->questions = malloc(count * FRAME_SIZE);
    bench->question_count = count;
    if (bench->questions == NULL || flood_mint(bench->minter, phase->kind, framing_find("generic"),
                                               bench->questions, count) != 0)
        return -1;
    if (phase->kind != FLOOD_REPLAYED)
        return 0;
    /* Once before they count: from then on they are replayed. */
    while (bench->sent < count) {
        const struct phase all = {.rate = INFINITY};

        if (flood(bench, &all, 0) != 0 || serve(bench, 0, false) != 0)
            return -1;
    }
    if (drain(bench) != 0)
        return -1;
    forget_flood(bench);
    return 0;
}

static bool flood_is_right(const struct bench *bench, const struct phase *phase)
{
    if (phase->rate == INFINITY || phase->rate == 0)
        return true;
    return bench->flood_yes == (phase->kind == FLOOD_GOOD ? bench->sent : 0);
}

static int run_phase(struct bench *bench, const struct phase *phase, size_t round)
{
    int64_t began, cpu, passed;

    if (prepare_flood(bench, phase) != 0 ||
        run_clients(bench, NULL, clock_ns(CLOCK_MONOTONIC), WARM_MS * 1000000LL) != 0)
        return -1;
    bench->latency = (struct latency){0};
    bench->worst_ns = 0;
    bench->answered = 0;
    began = clock_ns(CLOCK_MONOTONIC);
    cpu = clock_ns(bench->server_clock);
    if ((phase->file != NULL && phase_reload(phase, bench->reloaded, bench->server) != 0) ||
        run_clients(bench, phase, began, bench->phase_ns) != 0)
        return -1;
    passed = clock_ns(CLOCK_MONOTONIC) - began;
    cpu = clock_ns(bench->server_clock) - cpu;
    printf("phase=%s round=%zu answers=%zu flood=%zu seconds=%.4f cpu_us=%.4f p50_us=%.1f "
           "p99_us=%.1f max_us=%.1f\n",
           phase->word, round, bench->answered, bench->sent, (double)passed / 1e9,
           (double)cpu / 1e3 / (double)(bench->answered + bench->sent),
           latency_quantile(&bench->latency, 0.5) / 1e3,
           latency_quantile(&bench->latency, 0.99) / 1e3, (double)bench->worst_ns / 1e3);
    return flood_is_right(bench, phase) ? 0 : fail("the flood has wrong answers");
}

static int open_all(struct bench *bench)
{
    struct ucred server;
    socklen_t size = sizeof(server);

    bench->epoll = epoll_create1(0);
    bench->flooder = connect_to(bench, false);
    if (bench->flooder < 0 || watch(bench, bench->flooder, bench) != 0 ||
        getsockopt(bench->flooder, SOL_SOCKET, SO_PEERCRED, &server, &size) != 0)
        return -1;
    bench->server = server.pid;
    if (clock_getcpuclockid(server.pid, &bench->server_clock) != 0)
        return fail("the server's clock");
    for (size_t i = 0; i < bench->clients; i++) {
        struct pinger *pinger = &bench->pingers[i];

        pinger->descriptor = connect_to(bench, true);
        if (pinger->descriptor < 0 || watch(bench, pinger->descriptor, pinger) != 0)
            return -1;
    }
    return 0;
}

static int parse_options(int argc, char **argv, struct bench *bench)
{
    static const struct option long_options[] = {
        {"key", required_argument, NULL, 'k'},
        {"socket", required_argument, NULL, 's'},
        {"clients", required_argument, NULL, 'c'},
        {"ms", required_argument, NULL, 'm'},
        {"rounds", required_argument, NULL, 'r'},
        {"reloaded", required_argument, NULL, 'R'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (option == 'k')
            bench->minter = minter_create(optarg);
        else if (option == 's')
            bench->path = optarg;
        else if (option == 'c')
            bench->clients = strtoul(optarg, NULL, 10);
        else if (option == 'm')
            bench->phase_ns = strtol(optarg, NULL, 10) * 1000000;
        else if (option == 'r')
            bench->rounds = strtoul(optarg, NULL, 10);
        else if (option == 'R')
            bench->reloaded = optarg;
        else
            return -1;
    }
    for (; optind < argc; optind++) {
        if (bench->phase_count == PHASES_MAX ||
            phase_parse(argv[optind], &bench->phases[bench->phase_count++]) != 0)
            return -1;
    }
    for (size_t i = 0; i < bench->phase_count; i++) {
        if (bench->phases[i].file != NULL && bench->reloaded == NULL)
            return -1;
    }
    return bench->minter != NULL && bench->path != NULL && bench->clients > 0 &&
                   bench->clients <= CLIENTS_MAX && bench->phase_ns > 0 && bench->phase_count > 0
               ? 0
               : -1;
}

int main(int argc, char **argv)
{
    static struct bench bench = {.clients = 10, .phase_ns = 300000000, .rounds = 7};
    int result;

    if (parse_options(argc, argv, &bench) != 0) {
        fputs("usage: fairness-load --key FILE --socket PATH [--clients N] [--ms N] [--rounds N] "
              "[--reloaded CONFIG] PHASE...\n",
              stderr);
        return 2;
    }
    result = open_all(&bench);
    for (size_t round = 0; result == 0 && round < bench.rounds; round++) {
        for (size_t i = 0; result == 0 && i < bench.phase_count; i++)
            result = run_phase(&bench, &bench.phases[(i + round) % bench.phase_count], round);
    }
    free(bench.questions);
    minter_destroy(&bench.minter);
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
