/* A listening socket for HTTP: on loopback, or a file. */
#ifndef DAEMON_HTTP_SOCKET_H
#define DAEMON_HTTP_SOCKET_H

#include "config/config.h"
#include "daemon/listener.h"

/*
 * Listens at the address, which must name a host or a path. Returns 0 and the non-blocking socket
 * (for TCP, file_r->path is empty), or -1 and what failed and what to do. A file is removed with
 * socket_file_unlink().
 */
__attribute__((warn_unused_result)) int http_socket_open(struct socket_file *file_r,
                                                         const struct http_listener *listener,
                                                         char error_r[SOCKET_ERROR_SIZE]);

#endif
