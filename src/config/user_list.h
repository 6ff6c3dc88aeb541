/* The users of isuser = file:PATH: one localpart or bare JID a line, # comments. */
#ifndef CONFIG_USER_LIST_H
#define CONFIG_USER_LIST_H

#include "base/arena.h"
#include "base/name_table.h"
#include "config/problems.h"

struct user_list {
    struct name_table names; /* localparts and bare JIDs as they stand in the file */
};

/*
 * Reads the file into list; the names live in the arena. ASCII letters are made lower case, as
 * servers ask. Returns 0, or -1 after adding problems (also for a line that is no name); the list
 * is to be released with user_list_clear() either way.
 */
__attribute__((warn_unused_result)) int user_list_read(struct user_list *list, struct arena *arena,
                                                       const char *path, struct problems *problems,
                                                       const char *blame_file, int blame_line);

/* Whether USER@HOST is listed, by localpart alone or as a bare JID. */
bool user_list_holds(const struct user_list *list, const char *user, size_t user_length,
                     const char *host, size_t host_length);

/* Frees the table. */
void user_list_clear(struct user_list *list);

#endif
