/* The outer end of the cage's socket. Whoever is inside may say anything, and take any time. */
#ifndef DOCTOR_LUA_TALK_H
#define DOCTOR_LUA_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/arena.h"

struct lua_talk {
    struct arena *arena; /* of texts; borrowed */
    int socket;
    time_t deadline;       /* seconds of the monotonic clock */
    size_t received;       /* bytes of all records */
    unsigned char *record; /* room for RECORD_MAX bytes; borrowed */
    size_t size;
    size_t at;
    bool is_bad; /* the record holds less than was taken from it */
};

/* The whole talk must be over within so many seconds from now. */
void lua_talk_begin(struct lua_talk *talk, int seconds);

/* Sends all bytes. Returns 0, or -1. */
__attribute__((warn_unused_result)) int lua_talk_send(const struct lua_talk *talk,
                                                      const void *bytes, size_t size);
__attribute__((warn_unused_result)) int lua_talk_send_number(const struct lua_talk *talk,
                                                             uint32_t number);

/* Receives the next record. Returns 0; or -1: there is none in time, or it is too long. */
__attribute__((warn_unused_result)) int lua_talk_receive(struct lua_talk *talk);

/* Parts of the record, in order: zero or "" with is_bad where it ends before. A text is terminated,
 * in the arena, and cut at a NUL. */
uint32_t lua_talk_number(struct lua_talk *talk);
char lua_talk_letter(struct lua_talk *talk);
const char *lua_talk_text(struct lua_talk *talk);

#endif
