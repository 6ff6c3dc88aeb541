#include "daemon/http_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config/http_address.h"
#include "daemon/log.h"

enum { BACKLOG = 512 };

union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static socklen_t fill(union address *address, const char *host, int port)
{
    *address = (union address){0};
    if (inet_pton(AF_INET, host, &address->four.sin_addr) == 1) {
        address->four.sin_family = AF_INET;
        address->four.sin_port = htons((uint16_t)port);
        return sizeof(address->four);
    }
    if (inet_pton(AF_INET6, host, &address->six.sin6_addr) != 1)
        return 0;
    address->six.sin6_family = AF_INET6;
    address->six.sin6_port = htons((uint16_t)port);
    return sizeof(address->six);
}

/* A daemon that was just stopped leaves connections behind that would keep the port for minutes. */
static int bind_and_listen(int descriptor, const union address *address, socklen_t length)
{
    static const int yes = 1;

    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
        bind(descriptor, &address->any, length) != 0)
        return -1;
    return listen(descriptor, BACKLOG);
}

static int open_network(const char *host, int port, char error_r[SOCKET_ERROR_SIZE])
{
    union address address;
    socklen_t length = fill(&address, host, port);
    int descriptor = -1;

    errno = EAFNOSUPPORT;
    if (length > 0)
        descriptor = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 && bind_and_listen(descriptor, &address, length) == 0)
        return descriptor;
    snprintf(error_r, SOCKET_ERROR_SIZE, "port %d of %s: %s%s", port, host, strerror(errno),
             errno == EADDRINUSE ? ": stop what listens there, or take another port" : "");
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

static int http_socket_open(struct socket_file *file_r, const struct http_listener *listener,
                            char error_r[SOCKET_ERROR_SIZE])
{
    const struct http_address *address = &listener->address;
    int descriptor;

    if (address->path != NULL)
        return socket_file_open(file_r, address->path, listener->mode, listener->group, error_r);
    descriptor = open_network(address->host, address->port, error_r);
    if (descriptor < 0)
        return -1;
    *file_r = (struct socket_file){.descriptor = descriptor, .is_network = true};
    return 0;
}

int http_socket_get(struct socket_file *file_r, struct activation *activation, const char *name,
                    const struct http_listener *listener)
{
    char path[SOCKET_PATH_SIZE];
    char error[SOCKET_ERROR_SIZE];
    /* Who may ask depends on the kind of socket that the configuration has. */
    bool is_network = listener->address.path == NULL;
    struct socket_rule rule = {.name = name,
                               .path = listener->address.path,
                               .mode = listener->mode,
                               .group = listener->group,
                               .may_be_network = is_network};
    int descriptor = activation_take(activation, name);

    if (is_network)
        rule.path = http_address_format(&listener->address, path, sizeof(path));
    if (descriptor >= 0)
        return socket_file_adopt(file_r, descriptor, &rule);
    if (http_socket_open(file_r, listener, error) == 0) {
        socket_log_listening(&rule, rule.path, "the configuration");
        return 0;
    }
    log_event_text(LOG_LEVEL_ERROR, "listen-failed", "why", error);
    return -1;
}
