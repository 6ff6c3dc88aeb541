#include "doctor/lua_talk.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "doctor/lua_records.h"

static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

void lua_talk_begin(struct lua_talk *talk, int seconds)
{
    talk->deadline = now() + seconds;
}

static int wait_for(const struct lua_talk *talk, short events)
{
    struct pollfd watched = {.fd = talk->socket, .events = events};

    return now() < talk->deadline && poll(&watched, 1, 1000) >= 0 ? 0 : -1;
}

static int receive(const struct lua_talk *talk, void *bytes_r, size_t size)
{
    char *at = bytes_r;

    while (size > 0) {
        ssize_t got = recv(talk->socket, at, size, MSG_DONTWAIT);

        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
            return -1;
        if (got < 0 && wait_for(talk, POLLIN) != 0)
            return -1;
        at += got < 0 ? 0 : got;
        size -= got < 0 ? 0 : (size_t)got;
    }
    return 0;
}

int lua_talk_send(const struct lua_talk *talk, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t sent = send(talk->socket, at, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        if (sent < 0 && wait_for(talk, POLLOUT) != 0)
            return -1;
        at += sent < 0 ? 0 : sent;
        size -= sent < 0 ? 0 : (size_t)sent;
    }
    return 0;
}

int lua_talk_send_number(const struct lua_talk *talk, uint32_t number)
{
    return lua_talk_send(talk, &number, sizeof(number));
}

int lua_talk_receive(struct lua_talk *talk)
{
    uint32_t size;

    if (receive(talk, &size, sizeof(size)) != 0 || size == 0 || size > RECORD_MAX ||
        (talk->received += size) > RECORDS_MAX || receive(talk, talk->record, size) != 0)
        return -1;
    talk->size = size;
    talk->at = 0;
    return 0;
}

static const unsigned char *take(struct lua_talk *talk, size_t size)
{
    const unsigned char *bytes = talk->record + talk->at;

    if (size > talk->size - talk->at) {
        talk->is_bad = true;
        return NULL;
    }
    talk->at += size;
    return bytes;
}

uint32_t lua_talk_number(struct lua_talk *talk)
{
    const unsigned char *bytes = take(talk, sizeof(uint32_t));
    uint32_t number = 0;

    if (bytes != NULL)
        memcpy(&number, bytes, sizeof(number));
    return number;
}

char lua_talk_letter(struct lua_talk *talk)
{
    const unsigned char *bytes = take(talk, 1);

    if (bytes == NULL)
        return '\0';
    return (char)*bytes;
}

const char *lua_talk_text(struct lua_talk *talk)
{
    size_t length = lua_talk_number(talk);
    const unsigned char *bytes = take(talk, length);
    const char *text = bytes == NULL ? NULL : arena_copy(talk->arena, (const char *)bytes, length);

    if (text == NULL)
        talk->is_bad = true;
    return text == NULL ? "" : text;
}
