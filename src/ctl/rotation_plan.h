/* What to do when, to change a host's key without denying a good token. */
#ifndef CTL_ROTATION_PLAN_H
#define CTL_ROTATION_PLAN_H

#include "config/config.h"
#include "ctl/new_key.h"

struct rotation {
    const struct config *config;
    const struct host *host;
    const char *name; /* of the new [key] section */
    const struct new_key *key;
    int64_t switch_at; /* when the web application takes the new key */
    bool is_written;   /* the section is in the file already */
};

/* Writes the new key's section, as it stands in the file: at most size - 1 characters. Returns 0,
 * or -1 where it does not fit. */
__attribute__((warn_unused_result)) int rotation_section(const struct rotation *rotation,
                                                         char *text_r, size_t size);

/* Prints the plan on standard output; every line of it that is not the section is a comment. The
 * secrets are in it unless the section is written. */
void rotation_plan_print(const struct rotation *rotation, const char *section);

#endif
