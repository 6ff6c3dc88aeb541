/*
 * Sockets that the service manager has opened and hands over (sd_listen_fds(3)): it holds them over
 * a restart, so that who connects meanwhile waits instead of failing. Each has a name, which is a
 * listener's.
 */
#ifndef DAEMON_ACTIVATION_H
#define DAEMON_ACTIVATION_H

#include <stddef.h>

/* More are closed. */
enum { ACTIVATED_MAX = 64 };

/* The names of the sockets that are no [listen NAME] section's. */
#define ACTIVATION_NAME_SERVER  "server"
#define ACTIVATION_NAME_CONTROL "control"
#define ACTIVATION_NAME_HTTP    "http"

struct activated {
    int descriptor;   /* -1: taken */
    const char *name; /* within the environment */
};

/* A zeroed one holds nothing. */
struct activation {
    struct activated sockets[ACTIVATED_MAX];
    size_t count;
};

/* Takes down what was handed over to this process (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES), which
 * no program that it starts will get. Call once; the environment is not changed afterwards. */
void activation_receive(struct activation *activation);

/* The first socket of a name that was not taken yet, which is the caller's from then on; -1: none.
 */
int activation_take(struct activation *activation, const char *name);

/* Logs a warning for each socket that nobody took, and closes it. */
void activation_close_unasked(struct activation *activation);

/* Closes those that were not taken. */
void activation_clear(struct activation *activation);

#endif
