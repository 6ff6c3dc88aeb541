/*
 * Looks ahead, in what was read of a client, for the hosts that it asks about next, and has their
 * memory fetched: of a host among thousands it comes from far away, in half a dozen steps of which
 * each tells where the next one goes. Each question that is answered takes the ones behind it a step
 * further. Nothing is decided here; a wrong guess costs a fetch.
 */
#ifndef DAEMON_FORESIGHT_H
#define DAEMON_FORESIGHT_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/authority.h"
#include "wire/protocol.h"

/* How many questions ahead it looks: one for each step. */
enum { FORESIGHT_STEPS = 6 };

struct foreseen {
    uint64_t hash;           /* of the host's name */
    const struct host *host; /* NULL: none that is worth it */
};

struct foresight {
    const struct authority *authority; /* NULL: there is nothing to be won */
    const struct protocol *protocol;
    const uint8_t *next; /* the first byte that was not looked at */
    const uint8_t *end;
    struct foreseen ahead[FORESIGHT_STEPS];
    size_t place; /* of the question that is answered next */
    const struct host *last;
};

/* Begins to look at whole and half questions of a protocol; all is borrowed as long as it is used. */
void foresight_begin(struct foresight *foresight, const struct authority *authority,
                     const struct protocol *protocol, const uint8_t *data, size_t size);

/* One more step, before the next question is answered. */
void foresight_step(struct foresight *foresight);

#endif
