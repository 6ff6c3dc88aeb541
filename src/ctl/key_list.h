/* A host's keys as the configuration and the running daemon know them. */
#ifndef CTL_KEY_LIST_H
#define CTL_KEY_LIST_H

#include "config/config.h"
#include "ctl/key_answer.h"
#include "ctl/key_safety.h"

struct key_list {
    struct key_view *keys; /* the file's in its order, then those that only the daemon has */
    size_t count;
    char *names; /* of the latter */
};

/*
 * The keys of a host of the configuration, with what the daemon's answer says of them. Borrows from
 * host. Returns 0, or -1 where memory is short. Released with key_list_clear().
 */
__attribute__((warn_unused_result)) int
key_list_make(struct key_list *list, const struct host *host, const struct key_answer *answer);

void key_list_clear(struct key_list *list);

#endif
