/*
 * The floor that the daemon is measured against: a bare libevent bufferevent server that answers
 * yes to every question without looking at it.
 *
 *     floor-server [--hmac] SOCKET
 *
 * With --hmac, the second floor: it computes one keyed HMAC-SHA256 of each question's text first,
 * by OpenSSL with a reused context.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "reused_hmac.h"

enum { ANSWERS_SIZE = 4096, BACKLOG = 1024 };

static EVP_MAC_CTX *hmac; /* of the second floor; else NULL */

struct frame {
    const unsigned char *text;
    size_t length;
    size_t size; /* with its framing */
};

/* As in the daemon, a length's first byte is below 0x20 and a line's is not. */
static bool is_length_framed(const unsigned char *bytes)
{
    return bytes[0] < 0x20;
}

static bool find_line(const unsigned char *bytes, size_t size, struct frame *frame_r)
{
    const unsigned char *end = memchr(bytes, '\n', size);

    if (end == NULL)
        return false;
    *frame_r = (struct frame){bytes, (size_t)(end - bytes), (size_t)(end - bytes) + 1};
    return true;
}

static bool find_length_framed(const unsigned char *bytes, size_t size, struct frame *frame_r)
{
    size_t length = size < 2 ? 0 : (size_t)bytes[0] << 8 | bytes[1];

    if (size < 2 || size < length + 2)
        return false;
    *frame_r = (struct frame){bytes + 2, length, length + 2};
    return true;
}

static void hash(const struct frame *frame)
{
    uint8_t output[32];

    if (reused_hmac_compute(hmac, frame->text, frame->length, output, sizeof(output)) != 0)
        abort();
}

static void on_read(struct bufferevent *stream, void *context)
{
    struct evbuffer *input = bufferevent_get_input(stream);
    size_t size = evbuffer_get_length(input);
    const unsigned char *bytes = evbuffer_pullup(input, -1);
    bool length_framed = is_length_framed(bytes);
    const char *yes = length_framed ? "\x00\x02\x00\x01" : "1\n";
    size_t yes_size = length_framed ? 4 : 2;
    char answers[ANSWERS_SIZE];
    size_t answers_size = 0;
    size_t used = 0;
    struct frame frame = {0};

    (void)context;
    while (used < size && answers_size < ANSWERS_SIZE &&
           (length_framed ? find_length_framed : find_line)(bytes + used, size - used, &frame)) {
        if (hmac != NULL)
            hash(&frame);
        memcpy(answers + answers_size, yes, yes_size);
        answers_size += yes_size;
        used += frame.size;
    }
    evbuffer_drain(input, used);
    bufferevent_write(stream, answers, answers_size);
}

static void on_event(struct bufferevent *stream, short events, void *context)
{
    (void)context;
    if ((events & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0)
        bufferevent_free(stream);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t descriptor,
                      struct sockaddr *address, int address_size, void *context)
{
    struct event_base *loop = evconnlistener_get_base(listener);
    struct bufferevent *stream = bufferevent_socket_new(loop, descriptor, BEV_OPT_CLOSE_ON_FREE);

    (void)address;
    (void)address_size;
    (void)context;
    bufferevent_setcb(stream, on_read, NULL, on_event, NULL);
    bufferevent_enable(stream, EV_READ | EV_WRITE);
}

static int serve(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct event_base *loop = event_base_new();

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    if (loop == NULL ||
        evconnlistener_new_bind(loop, on_accept, NULL, LEV_OPT_CLOSE_ON_FREE, BACKLOG,
                                (struct sockaddr *)&address, sizeof(address)) == NULL) {
        perror(path);
        return EXIT_FAILURE;
    }
    return event_base_dispatch(loop) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const uint8_t key[32] = "as long as a token's secret: 32";
    bool with_hmac = argc == 3 && strcmp(argv[1], "--hmac") == 0;
    struct rlimit limit;

    if (argc != 2 && !with_hmac) {
        fputs("usage: floor-server [--hmac] SOCKET\n", stderr);
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (with_hmac)
        hmac = reused_hmac_create("SHA256", key, sizeof(key));
    if (with_hmac && hmac == NULL)
        return EXIT_FAILURE;
    return serve(argv[argc - 1]);
}
