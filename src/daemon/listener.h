/* A listening Unix socket: its birth, its clients, and its end. */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

#include <sys/types.h>

#include <event2/event_struct.h>

#include "base/path_error.h"
#include "daemon/server.h"

/* Bytes of a socket's path, its end included: what an address holds. */
enum { SOCKET_PATH_SIZE = 108 };

struct socket_file {
    char path[SOCKET_PATH_SIZE]; /* empty once the file was removed, and where it is not ours */
    int descriptor;
    bool is_activated; /* others hold the socket too, and go on listening when it is closed here */
    bool is_network;   /* TCP */
    dev_t device;      /* of the file at path when it was bound */
    ino_t inode;
};

enum { SOCKET_ERROR_SIZE = PATH_ERROR_SIZE };

/*
 * Binds and listens at path with mode and group; refuses to take the place of a living daemon's
 * socket or of a file that is no socket, and removes a dead one. Returns 0 and the non-blocking
 * socket, or -1 and what failed and what to do.
 */
__attribute__((warn_unused_result)) int socket_file_open(struct socket_file *file_r,
                                                         const char *path, mode_t mode, gid_t group,
                                                         char error_r[SOCKET_ERROR_SIZE]);

/* What a socket is to be: of [server], of a [listen NAME] section, or of [control]. */
struct socket_rule {
    const char *name; /* which a socket that is handed over has too */
    const char *path;
    bool may_be_network; /* [http] alone */
    mode_t mode;
    gid_t group;
};

/*
 * Takes a socket over that was handed over for a rule: a listening stream socket, of this machine's
 * alone. Logs that it did and, as a warning, where it differs from the rule, whose path may be an
 * address and a port. 0, or -1 (descriptor closed) after logging what is wrong with it.
 */
__attribute__((warn_unused_result)) int
socket_file_adopt(struct socket_file *file_r, int descriptor, const struct socket_rule *rule);

/* Logs where a listener's socket is from. */
void socket_log_listening(const struct socket_rule *rule, const char *path, const char *from);

/*
 * The socket of that name which the service manager handed over, as it is; else a new one
 * (socket_file_open()). Logs which of them it is and, as a warning, where the former differs from
 * the rule. 0, or -1 after logging what failed.
 */
__attribute__((warn_unused_result)) int socket_file_get(struct socket_file *file_r,
                                                        struct activation *activation,
                                                        const struct socket_rule *rule);

/* Removes the file, once and unless another has taken its place. The descriptor stays. */
void socket_file_unlink(struct socket_file *file);

/* After running out of descriptors accepting is tried again after so long. */
enum { RESUME_MICROSECONDS = 100000 };

/* Whether accept() failed for want of descriptors or memory, which leaves the client in the backlog. */
bool accept_lacks_resources(int error);

/* Whether a connected peer's user or groups (SO_PEERCRED, SO_PEERGROUPS) fit the rule. */
bool peer_is_allowed(int descriptor, const struct peer_rule *rule);

/* Opens all of the configuration's listeners and accepts on them. 0, or -1 after logging what
 * failed (those opened before are closed by listeners_close()). */
__attribute__((warn_unused_result)) int listeners_open(struct server *server);

/* Stops new clients from coming; those in the backlog are still accepted, then the listeners close.
 */
void listeners_drain(struct server *server);

/* Whether listeners are still open. */
bool listeners_are_open(const struct server *server);

/* Closes what is open and removes the sockets' files. */
void listeners_close(struct server *server);

#endif
