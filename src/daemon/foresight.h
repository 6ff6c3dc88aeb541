/*
 * Takes what was read of a client apart into requests, many of them ahead: where there are
 * thousands of hosts, the memory of the one that is asked about comes from far away, in three steps
 * of which each tells where the next one goes. Each step is taken for a few requests at a time, so
 * that their memory is on its way together, and, but for the first few of what was read, long
 * before it is needed. Nothing is decided here: a wrong guess, as for each domain without a host of
 * its own, has some lines of memory fetched for nothing.
 */
#ifndef DAEMON_FORESIGHT_H
#define DAEMON_FORESIGHT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/authority.h"
#include "wire/protocol.h"

/* For how many requests each step is taken at a time; and the places for those that are being
 * answered and those behind them that each step has been taken for. */
enum { FORESIGHT_STRIDE = 8, FORESIGHT_PLACES = 4 * FORESIGHT_STRIDE };

/* A request that was found. */
struct foreseen {
    enum frame_status status;
    bool comes_from_far; /* the host's memory was not asked for right before */
    size_t size;         /* bytes of the request, framing and all */
    struct question question;
    const uint32_t *host_number; /* of the host that it is probably about */
    const struct host *host;     /* that one; NULL: not known */
};

struct foresight {
    const struct authority *authority;
    const struct protocol *protocol;
    const char *pinned; /* the host of a protocol that names none */
    size_t maximum;
    const uint8_t *next; /* the first byte that was not looked at */
    const uint8_t *end;
    bool looks_ahead; /* many hosts, and a protocol that asks more than once */
    bool is_over;     /* what comes behind those found is no whole request */
    const struct host *last;
    /* How many requests came so far: */
    unsigned taken;   /* by the caller */
    unsigned due;     /* when the steps are taken again */
    unsigned found;   /* framed and taken apart; the number of the host is asked for */
    unsigned guessed; /* the host is known, and its verifier asked for */
    unsigned fetched; /* and all else of it */
    struct foreseen ahead[FORESIGHT_PLACES];
    /* Of a protocol whose names come as people type them. It is one for all requests: those of a
     * protocol that asks once are never taken apart ahead. */
    char user[PREPARED_NAME_SIZE];
};

/*
 * Begins with size bytes of a protocol (NULL where there are no bytes), in which no request is
 * longer than maximum bytes of text; pinned is its host where it names none. All is borrowed as long
 * as it is used.
 */
void foresight_begin(struct foresight *foresight, const struct authority *authority,
                     const struct protocol *protocol, const char *pinned, size_t maximum,
                     const uint8_t *data, size_t size);

/* The next request, framed and taken apart by the protocol; after one whose status is not
 * FRAME_COMPLETE there is none. Good until the next call. */
const struct foreseen *foresight_next(struct foresight *foresight);

#endif
