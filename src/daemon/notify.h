/*
 * Messages to the service manager (sd_notify(3)): lines of NAME=VALUE in a datagram to the socket
 * that it names. Nothing here waits: what finds no room is kept, if it is about the daemon's state.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { NOTIFY_MESSAGE_SIZE = 512 };

struct notify {
    int descriptor; /* -1: nobody asked to be told */
    struct sockaddr_un address;
    socklen_t address_size;
    char owed[NOTIFY_MESSAGE_SIZE]; /* a state that could not be told yet; "": none */
    bool complained;                /* of a socket that can't be used */
};

/* Finds out where to ($NOTIFY_SOCKET). Logs a warning where that can't be used. */
void notify_open(struct notify *notify);

/* Tells a state, which takes the place of one that is still owed. */
void notify_state(struct notify *notify, const char *message);

/* Tells what will be told again anyway. Whether it was told, or nobody asked to be. */
bool notify_passing(struct notify *notify, const char *message);

/* Tries again to tell the state that is owed. */
void notify_retry(struct notify *notify);

/* Tells nothing from here on. */
void notify_close(struct notify *notify);

/* Microseconds within which the manager wants a sign of life ($WATCHDOG_USEC); 0: it wants none. */
int64_t notify_watchdog_us(void);

#endif
