/* A listening socket for HTTP: on loopback, or a file. */
#ifndef DAEMON_HTTP_SOCKET_H
#define DAEMON_HTTP_SOCKET_H

#include "config/config.h"
#include "daemon/listener.h"

/*
 * The socket of a name that the service manager handed over, of the same kind as the address, which
 * names a host or a path; else a new one, listening there. Logs which of them it is. Returns 0 and
 * the non-blocking socket (for TCP, file_r->path is empty), or -1 after logging what failed. A file
 * is removed with socket_file_unlink().
 */
__attribute__((warn_unused_result)) int http_socket_get(struct socket_file *file_r,
                                                        struct activation *activation,
                                                        const char *name,
                                                        const struct http_listener *listener);

#endif
