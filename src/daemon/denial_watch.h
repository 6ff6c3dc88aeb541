/*
 * Who was denied lately: a login that waits for the store was judged before, and is held against it
 * when its answer comes. Users are known by a number, as the flight recorder has them.
 */
#ifndef DAEMON_DENIAL_WATCH_H
#define DAEMON_DENIAL_WATCH_H

#include <stdint.h>

/* Denials that are kept in mind. */
enum { DENIAL_WATCH_SIZE = 64 };

/* All zero: nobody was. */
struct denial_watch {
    uint64_t count; /* of all denials so far */
    uint64_t users[DENIAL_WATCH_SIZE];
};

enum denial_news {
    DENIAL_NO_NEWS,
    DENIAL_OF_USER, /* the user was denied since */
    DENIAL_UNKNOWN  /* there were more since than are kept in mind */
};

/* Takes a denial down. */
void denial_watch_note(struct denial_watch *watch, uint64_t user);

/* What has become of a user since there had been so many denials. */
enum denial_news denial_watch_since(const struct denial_watch *watch, uint64_t count,
                                    uint64_t user);

#endif
