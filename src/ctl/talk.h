/* A talk with the daemon over one of its sockets, all of it within one deadline. Every failure is
 * complained of here. */
#ifndef CTL_TALK_H
#define CTL_TALK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

enum { TALK_SECONDS = 5 };

struct talk {
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int descriptor;
    int64_t deadline; /* milliseconds of the monotonic clock */
};

/* Connects to a Unix stream socket, which must answer within TALK_SECONDS from now. Returns 0, or
 * -1 after a complaint (there is nothing to close then). */
__attribute__((warn_unused_result)) int talk_open(struct talk *talk_r, const char *path);

/* Sends all bytes; 0 also where the daemon has closed, which talk_receive() tells then. Returns 0,
 * or -1 after a complaint. */
__attribute__((warn_unused_result)) int talk_send(struct talk *talk, const void *bytes,
                                                  size_t size);

/* Receives what is there, 1 to size bytes. Returns how many, 0 where the daemon has closed, or -1
 * after a complaint. */
__attribute__((warn_unused_result)) ssize_t talk_receive(struct talk *talk, void *bytes_r,
                                                         size_t size);

/* Receives exactly size bytes. Returns 0, or -1 after a complaint. */
__attribute__((warn_unused_result)) int talk_receive_all(struct talk *talk, void *bytes_r,
                                                         size_t size);

/* Gives the daemon TALK_SECONDS from now: for answers that are long, while they come. */
void talk_extend(struct talk *talk);

void talk_close(struct talk *talk);

#endif
