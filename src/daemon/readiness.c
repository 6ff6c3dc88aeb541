#include "daemon/readiness.h"

#include <stdio.h>

#include "base/timestamp.h"

enum readiness readiness_of(struct server *server, char text_r[READINESS_TEXT_SIZE])
{
    const char *failure = server->authority.store->failure;
    int64_t opens = authority_opens(&server->authority, server_now(server));
    char time[TIMESTAMP_SIZE];

    if (server->draining) {
        snprintf(text_r, READINESS_TEXT_SIZE, "draining: the daemon was told to stop\n");
        return READINESS_DRAINING;
    }
    if (failure != NULL) {
        snprintf(text_r, READINESS_TEXT_SIZE, "store-error: %s\n", failure);
        return READINESS_STORE_ERROR;
    }
    if (opens != 0) {
        snprintf(text_r, READINESS_TEXT_SIZE, "starting: tokens minted before %s are refused\n",
                 timestamp_format(opens, time));
        return READINESS_STARTING;
    }
    snprintf(text_r, READINESS_TEXT_SIZE, "ready\n");
    return READY;
}
