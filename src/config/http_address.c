#include "config/http_address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "base/number.h"

static const char form[] = "takes an address and port such as 127.0.0.1:9542 or [::1]:9542, or "
                           "unix: and an absolute path";

enum { PORT_MAX = 65535, PATH_SIZE = sizeof(((struct sockaddr_un *)NULL)->sun_path) };

static const char *parse_path(const char *text, struct arena *arena, struct http_address *address)
{
    struct http_address parsed = {0};

    if (text[0] != '/')
        return form;
    if (strlen(text) >= PATH_SIZE)
        return "takes a path of at most 107 bytes: a socket's address holds no more";
    parsed.path = arena_copy(arena, text, strlen(text));
    if (parsed.path == NULL)
        return "memory is short";
    *address = parsed;
    return NULL;
}

/* Whether the text is an IP address at all; *loopback_r: one that never leaves the machine. */
static bool is_address(const char *text, bool *loopback_r)
{
    static const struct in6_addr own = IN6ADDR_LOOPBACK_INIT;
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET, text, &four) == 1) {
        *loopback_r = ntohl(four.s_addr) >> 24 == 127;
        return true;
    }
    *loopback_r = inet_pton(AF_INET6, text, &six) == 1 && memcmp(&six, &own, sizeof(own)) == 0;
    return *loopback_r || inet_pton(AF_INET6, text, &six) == 1;
}

/* HOST or [HOST] out of the bytes before the port's colon; NULL: neither. */
static const char *take_host(const char *text, size_t length, struct arena *arena)
{
    bool bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';

    if (length == strlen("localhost") && strncmp(text, "localhost", length) == 0)
        return "127.0.0.1";
    if (bracketed)
        return arena_copy(arena, text + 1, length - 2);
    return memchr(text, ':', length) == NULL ? arena_copy(arena, text, length) : NULL;
}

const char *http_address_parse(const char *text, struct arena *arena, struct http_address *address)
{
    static const char local[] = "unix:";
    const char *colon = strrchr(text, ':');
    const char *host;
    bool is_loopback;
    int64_t port;

    if (text[0] == '\0') {
        *address = (struct http_address){0};
        return NULL;
    }
    if (strncmp(text, local, strlen(local)) == 0)
        return parse_path(text + strlen(local), arena, address);
    if (colon == NULL || number_parse(colon + 1, strlen(colon + 1), &port) != 0 || port < 1 ||
        port > PORT_MAX)
        return form;
    host = take_host(text, (size_t)(colon - text), arena);
    if (host == NULL || !is_address(host, &is_loopback))
        return form;
    if (!is_loopback)
        return "takes a loopback address only, 127.0.0.1 or [::1], for there is no encryption: for "
               "others, put a web server that has it in front of this";
    *address = (struct http_address){.host = host, .port = (int)port};
    return NULL;
}

const char *http_address_format(const struct http_address *address, char *text_r, size_t size)
{
    if (address->path != NULL)
        snprintf(text_r, size, "unix:%s", address->path);
    else if (address->host != NULL)
        snprintf(text_r, size, strchr(address->host, ':') != NULL ? "[%s]:%d" : "%s:%d",
                 address->host, address->port);
    else
        snprintf(text_r, size, "%s", "");
    return text_r;
}
