#include "daemon/store.h"

#include <errno.h>
#include <string.h>

#include "daemon/log.h"
#include "store/journal_store.h"

/* A daemon that is stopping has its drain_timeout to do so, and a little to sync. */
enum { SYNC_MS = 5000 };

static void log_failure(const char *why)
{
    log_event_text(LOG_LEVEL_ERROR, "start-failed", "why", why);
}

/* A warning where it costs logins that the operator may wonder about. */
static void log_incomplete(const char *why, bool accept)
{
    enum log_level level = accept ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
    struct log_line line;

    log_begin(&line, level, "record-incomplete");
    logfmt_text(&line.fields, "why", why);
    logfmt_text(&line.fields, "effect",
                accept ? "tokens minted before the start are accepted, as after_restart says"
                       : "tokens minted before the start are refused for a while");
    log_end(&line, level);
}

static struct spent_store *open_journal(struct server *server, bool accept)
{
    const struct config *config = server->config;
    char error[STATE_DIRECTORY_ERROR_SIZE];
    const char *incomplete = NULL;
    struct spent_store *store;

    if (state_directory_open(&server->state, config->state->directory,
                             (int)config->server->drain_timeout_ms + SYNC_MS, error) != 0) {
        log_failure(error);
        return NULL;
    }
    store = journal_store_create(server->state.directory, server->started, accept, &incomplete);
    if (store == NULL)
        log_event_text(LOG_LEVEL_ERROR, "start-failed", "why_the_journal_cannot_be_opened",
                       strerror(errno));
    else if (incomplete != NULL)
        log_incomplete(incomplete, accept);
    return store;
}

struct spent_store *server_open_store(struct server *server)
{
    const struct replay_values *replay = server->config->replay;
    bool accept = replay->after_restart == AFTER_RESTART_ACCEPT;
    struct spent_store *store;

    if (replay->store == STORE_JOURNAL)
        return open_journal(server, accept);
    store = memory_store_create(server->started, accept);
    if (store == NULL)
        log_failure("memory is short");
    return store;
}
