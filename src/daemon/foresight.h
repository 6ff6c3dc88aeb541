/*
 * Takes what was read of a client apart into requests, some of them ahead: where there are thousands
 * of hosts, the memory of the one that is asked about next comes from far away, in a few steps of
 * which each tells where the next one goes. Each request that is taken brings the ones behind it a
 * step further. Nothing is decided here; a wrong guess costs a fetch.
 */
#ifndef DAEMON_FORESIGHT_H
#define DAEMON_FORESIGHT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/authority.h"
#include "wire/protocol.h"

/* How many requests ahead it looks, one for each step; and the places for them, a power of two. */
enum { FORESIGHT_STEPS = 3, FORESIGHT_PLACES = 4 };

/* A request that was found, and what is known of it by now. */
struct foreseen {
    enum frame_status status;
    size_t size; /* bytes of it, framing and all */
    struct question question;
    uint64_t hash;                 /* of the host's name */
    const struct host *host;       /* that it is probably about; NULL: not known */
    struct tally_host *const *row; /* of a host whose memory is fetched; else NULL */
};

struct foresight {
    const struct authority *authority;
    const struct protocol *protocol;
    const char *pinned; /* the host of a protocol that names none */
    size_t maximum;
    const uint8_t *next; /* the first byte that was not looked at */
    const uint8_t *end;
    bool looks_ahead; /* with a few hosts there is nothing to be won */
    unsigned place;   /* of the request that is taken next */
    const struct host *last;
    struct foreseen ahead[FORESIGHT_PLACES];
    char user[PREPARED_NAME_SIZE]; /* of a protocol whose names come as people type them */
};

/*
 * Begins with size bytes of a protocol (NULL where there are no bytes), in which no request is longer
 * than maximum bytes of text; pinned is its host where it names none. All is borrowed as long as it
 * is used.
 */
void foresight_begin(struct foresight *foresight, const struct authority *authority,
                     const struct protocol *protocol, const char *pinned, size_t maximum,
                     const uint8_t *data, size_t size);

/* The next request, framed and taken apart by the protocol; after one whose status is not
 * FRAME_COMPLETE there is none. Good until the next call. */
const struct foreseen *foresight_next(struct foresight *foresight);

#endif
