/* Whether a key can be deleted without denying anybody who could log in with it. */
#ifndef CTL_KEY_SAFETY_H
#define CTL_KEY_SAFETY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "token/key_fingerprint.h"

/* Times in seconds since the epoch. */
struct key_view {
    const char *name; /* of its [key] section; "" for a host's own; borrowed */
    struct key_fingerprint fingerprint;
    int64_t accept_from;  /* INT64_MIN: from ever */
    int64_t accept_until; /* INT64_MAX: for ever */
    bool in_file;         /* the configuration has it */
    bool loaded;          /* the running daemon has it; what follows is known then */
    uint64_t uses;
    int64_t since;        /* when the daemon began to count */
    int64_t last_use;     /* a login that was allowed; 0: none */
    int64_t last_genuine; /* any token of it; 0: none */
};

enum key_safety {
    KEY_IN_USE,       /* the zero: somebody logged in with it within the waiting time */
    KEY_ONLY,         /* no other key would be left, or none that counts now */
    KEY_NOT_YET,      /* its dates have not begun */
    KEY_USES_UNKNOWN, /* no daemon has said */
    KEY_NOT_LOADED,   /* in the file, not in the daemon */
    KEY_NEW,          /* unused, but not counted for the whole waiting time yet */
    KEY_NO_OTHER,     /* unused, but so is every other */
    KEY_REMOVED,      /* not in the file any more, still in the daemon */
    KEY_SAFE_EXPIRED, /* its dates are over, and so is every token of it */
    KEY_SAFE_UNUSED   /* unused for the waiting time, in which another key was used */
};

/* How long a key must be unused, in seconds, where a token lives for life seconds: an hour at the
 * least, in which whoever still has the old key would have used it. */
int64_t key_safety_wait(int64_t life);

/*
 * Judges keys[at] among the count keys of its host at a time. A use is a login that was allowed: a
 * client that sends a dead token for ever keeps nothing alive. daemon_answered: the daemon was
 * asked, so that a key without uses is one that it does not have.
 */
enum key_safety key_safety_judge(const struct key_view *keys, size_t count, size_t at, int64_t now,
                                 int64_t life, bool daemon_answered);

#endif
