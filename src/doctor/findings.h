/*
 * What the doctor has found: each finding with the place it stands at, what happens, and the line
 * that mends it; and the changes that `--fix` makes a patch of.
 */
#ifndef DOCTOR_FINDINGS_H
#define DOCTOR_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "doctor/node.h"

enum finding_severity {
    FINDING_ERROR,   /* logins fail, or somebody can do what nobody may */
    FINDING_WARNING, /* it works, until it does not */
    FINDING_UNJUDGED /* the doctor does not know */
};

enum finding_id {
    FINDING_COULD_NOT_JUDGE,
    FINDING_DAEMON_CONFIGURATION,
    FINDING_DAEMON_AWAY,
    FINDING_DAEMON_DIFFERS,
    FINDING_CLOCK,
    FINDING_SERVER_CONFIGURATION,
    FINDING_DUPLICATE_SETTING,
    FINDING_AUTH_METHOD,
    FINDING_OTHER_METHODS,
    FINDING_AUTH_CACHE,
    FINDING_STANZA_SIZE,
    FINDING_OPEN_DOOR,
    FINDING_MECHANISMS,
    FINDING_ENCRYPTION,
    FINDING_POOL_SIZE,
    FINDING_RELAY_PROGRAM,
    FINDING_SOCKET_PATH,
    FINDING_SOCKET_ACCESS,
    FINDING_SERVER_NOT_RESTARTED,
    FINDING_MODULE_MISSING,
    FINDING_TERMINAL_ROUTE,
    FINDING_HOST_NOT_SERVED,
    FINDING_HOST_NOT_ASKED,
    FINDING_ROUND_TRIP,
    FINDING_MINTER_AWAY,
    FINDING_MINTER_UNENCRYPTED,
    FINDING_MINTER_REDIRECT,
    FINDING_MINTER_NO_401,
    FINDING_MINTER_OPEN,
    FINDING_MINTER_REFUSES,
    FINDING_MINTER_CACHEABLE,
    FINDING_MINTER_CROSS_ORIGIN,
    FINDING_MINTER_SHAPE,
    FINDING_MINTER_JID,
    FINDING_MINTER_SAME_TOKEN,
    FINDING_MINTER_TOKEN,
    FINDING_MINTER_CLOCK,
    FINDING_ID_COUNT
};

struct finding_type {
    const char *word;
    enum finding_severity severity;
};

extern const struct finding_type finding_types[FINDING_ID_COUNT];

struct finding {
    enum finding_id id;
    const char *file; /* NULL: no file's */
    int line;         /* 0: the file as a whole */
    const char *text; /* what is so, and what comes of it */
    const char *mend; /* a line for the file, a command, or what to do */
    struct finding *next;
};

/* A change of a file: bytes of one line replaced, or lines put behind it. */
struct edit {
    struct place place; /* within one line where bytes are replaced */
    bool insert;        /* whole lines behind place.line; 0: at the very beginning */
    const char *text;
    struct edit *next;
};

struct findings {
    struct arena arena; /* of all texts, and of what is examined */
    struct finding *first;
    struct finding *last;
    struct edit *edits;
    struct edit *last_edit;
    bool memory_is_short;
};

/* A zeroed struct findings is empty; this releases all that is in its arena. */
void findings_clear(struct findings *findings);

/* A text put together as printf() does, in the findings' arena; "" where memory is short. */
__attribute__((format(printf, 2, 3))) const char *findings_text(struct findings *findings,
                                                                const char *format, ...);

/* Adds a finding at a place (NULL: nowhere). `mend` is borrowed for as long as the findings. The
 * same sentence about the same place is added once. */
__attribute__((format(printf, 5, 6))) void findings_add(struct findings *findings,
                                                        enum finding_id id,
                                                        const struct place *place, const char *mend,
                                                        const char *format, ...);

/* Plans that a value is replaced by text. Nothing is planned where it has no place of its own on
 * one line. */
void findings_replace(struct findings *findings, const struct place *place, const char *text);

/* Plans that lines (each with its end) are put behind a line. */
void findings_insert(struct findings *findings, const char *file, int line, const char *lines);

/* Whether there is a finding of that id. */
bool findings_have(const struct findings *findings, enum finding_id id);

#endif
