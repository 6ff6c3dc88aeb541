/* The user that a chat server runs as, and what it may do: by the bits of files' modes. */
#ifndef DOCTOR_SERVER_USER_H
#define DOCTOR_SERVER_USER_H

#include <stdbool.h>
#include <sys/types.h>

enum { SERVER_GROUPS_MAX = 256 };

struct server_user {
    const char *name; /* borrowed */
    uid_t uid;
    gid_t gid;
    gid_t groups[SERVER_GROUPS_MAX];
    int group_count;
};

/* Looks a user and its groups up. Returns 0, or -1: there is no such user. */
__attribute__((warn_unused_result)) int server_user_find(struct server_user *user_r,
                                                         const char *name);

/* Whether the user is in a group, by the system's word now. */
bool server_user_is_in(const struct server_user *user, gid_t group);

enum access_result { ACCESS_GRANTED, ACCESS_MISSING, ACCESS_NO_DIRECTORY, ACCESS_DENIED };

/*
 * Whether the user can reach a path and has all of `bits` (04 read, 02 write, 01 execute) there.
 * ACCESS_MISSING: there is no such path; ACCESS_NO_DIRECTORY: a directory on the way can't be
 * entered; ACCESS_DENIED: its own bits refuse.
 */
enum access_result server_user_access(const struct server_user *user, const char *path,
                                      unsigned bits);

/*
 * Whether a running process of the user, whose name begins with `program`, was started before the
 * user joined the group: its number, or 0. A process that can't be looked at does not count.
 */
pid_t server_user_stale_process(const struct server_user *user, const char *program, gid_t group);

#endif
