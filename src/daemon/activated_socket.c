#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/listener.h"
#include "daemon/log.h"

union internet_address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

static int socket_option(int descriptor, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);

    return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

/* Whether it is bound to an address that never leaves the machine. */
static bool is_loopback(int descriptor)
{
    union internet_address address = {0};
    socklen_t size = sizeof(address);

    if (getsockname(descriptor, &address.any, &size) != 0)
        return false;
    if (address.any.sa_family == AF_INET)
        return ntohl(address.four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return address.any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address.six.sin6_addr);
}

/* Why it can't be a listener's; NULL if it can. */
static const char *complaint_about(int descriptor, bool may_be_network)
{
    int domain = socket_option(descriptor, SO_DOMAIN);

    if (domain != AF_UNIX && !may_be_network)
        return "it is no Unix socket: ListenStream= takes a path here";
    if (domain != AF_UNIX && !is_loopback(descriptor))
        return "others than this machine reach it: ListenStream= takes 127.0.0.1 or ::1 here";
    if (socket_option(descriptor, SO_TYPE) != SOCK_STREAM)
        return "it is no stream socket: the socket unit needs ListenStream=";
    if (socket_option(descriptor, SO_ACCEPTCONN) != 1)
        return "it does not listen: the socket unit must not have Accept=yes";
    if (fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0)
        return strerror(errno);
    return NULL;
}

/* As [http] listen has it. */
static void find_internet_address(int descriptor, char text_r[SOCKET_PATH_SIZE + 1])
{
    union internet_address address = {0};
    socklen_t size = sizeof(address);
    char host[INET6_ADDRSTRLEN] = "";
    bool is_six;

    if (getsockname(descriptor, &address.any, &size) != 0)
        return;
    is_six = address.any.sa_family == AF_INET6;
    if (is_six)
        inet_ntop(AF_INET6, &address.six.sin6_addr, host, sizeof(host));
    else
        inet_ntop(AF_INET, &address.four.sin_addr, host, sizeof(host));
    snprintf(text_r, SOCKET_PATH_SIZE + 1, is_six ? "[%s]:%u" : "%s:%u", host,
             ntohs(is_six ? address.six.sin6_port : address.four.sin_port));
}

/* The path that it is bound to; "" where it has none. */
static void find_path(int descriptor, char path_r[SOCKET_PATH_SIZE + 1])
{
    struct sockaddr_un address = {0};
    socklen_t size = sizeof(address);

    if (getsockname(descriptor, (struct sockaddr *)&address, &size) == 0)
        snprintf(path_r, SOCKET_PATH_SIZE + 1, "%.*s", (int)sizeof(address.sun_path),
                 address.sun_path);
}

/* What the one who made it decided otherwise than the settings, which go for nothing then. */
static const char *difference(const struct socket_rule *rule, const char *path, bool is_network)
{
    struct stat status;

    if (strcmp(path, rule->path) != 0)
        return "it is bound to another path or address than the configuration says";
    if (is_network)
        return NULL;
    if (stat(path, &status) != 0 || !S_ISSOCK(status.st_mode))
        return "its file is gone: restart the socket unit";
    if ((status.st_mode & 0777) != rule->mode)
        return "its file has another mode than the configuration says";
    if (status.st_gid != rule->group)
        return "its file has another group than the configuration says";
    return NULL;
}

static void end_line(struct log_line *line, enum log_level level, const struct socket_rule *rule,
                     const char *path, const char *key, const char *value)
{
    logfmt_text(&line->fields, "listener", rule->name);
    logfmt_text(&line->fields, "path", path);
    logfmt_text(&line->fields, key, value);
    log_end(line, level);
}

void socket_log_listening(const struct socket_rule *rule, const char *path, const char *from)
{
    struct log_line line;

    log_begin(&line, LOG_LEVEL_INFO, "listening");
    end_line(&line, LOG_LEVEL_INFO, rule, path, "from", from);
}

int socket_file_adopt(struct socket_file *file_r, int descriptor, const struct socket_rule *rule)
{
    const char *complaint = complaint_about(descriptor, rule->may_be_network);
    const char *differs;
    struct log_line line;
    char path[SOCKET_PATH_SIZE + 1];

    if (complaint != NULL) {
        log_begin(&line, LOG_LEVEL_ERROR, "listen-failed");
        end_line(&line, LOG_LEVEL_ERROR, rule, rule->path, "why", complaint);
        close(descriptor);
        return -1;
    }
    *file_r = (struct socket_file){.descriptor = descriptor,
                                   .is_activated = true,
                                   .is_network = socket_option(descriptor, SO_DOMAIN) != AF_UNIX};
    path[0] = '\0';
    if (file_r->is_network)
        find_internet_address(descriptor, path);
    else
        find_path(descriptor, path);
    socket_log_listening(rule, path, "the service manager");
    differs = difference(rule, path, file_r->is_network);
    if (differs != NULL) {
        log_begin(&line, LOG_LEVEL_WARNING, "listener-differs");
        end_line(&line, LOG_LEVEL_WARNING, rule, path, "why", differs);
    }
    return 0;
}

int socket_file_get(struct socket_file *file_r, struct activation *activation,
                    const struct socket_rule *rule)
{
    int descriptor = activation_take(activation, rule->name);
    char error[SOCKET_ERROR_SIZE];

    if (descriptor >= 0)
        return socket_file_adopt(file_r, descriptor, rule);
    if (socket_file_open(file_r, rule->path, rule->mode, rule->group, error) != 0) {
        log_event_text(LOG_LEVEL_ERROR, "listen-failed", "why", error);
        return -1;
    }
    socket_log_listening(rule, rule->path, "the configuration");
    return 0;
}
