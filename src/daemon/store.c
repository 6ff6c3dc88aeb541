#include "daemon/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log.h"
#include "store/journal_store.h"
#include "store/redis_store.h"

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

static struct spent_store *open_journal(const struct server *server, bool accept)
{
    const char *incomplete = NULL;
    struct spent_store *store =
        journal_store_create(server->state.directory, server->started, accept, &incomplete);

    if (store == NULL) {
        char text[128];

        snprintf(text, sizeof(text), "the journal can't be opened: %s", strerror(errno));
        log_failure(text);
    } else if (incomplete != NULL) {
        log_incomplete(incomplete, accept);
    }
    return store;
}

#ifdef HAVE_REDIS
/* A reload frees the configuration that the address came from. */
static int copy_text(struct arena *arena, const char *text, const char **copy_r)
{
    *copy_r = text == NULL ? NULL : arena_copy(arena, text, strlen(text));
    return text != NULL && *copy_r == NULL ? -1 : 0;
}
#endif

static struct spent_store *open_redis(struct server *server, bool accept)
{
#ifdef HAVE_REDIS
    const struct store_rule *rule = &server->config->replay->store;

    server->redis = (struct redis_address){.port = rule->port, .database = rule->database};
    if (copy_text(&server->redis_memory, rule->host, &server->redis.host) != 0 ||
        copy_text(&server->redis_memory, rule->path, &server->redis.path) != 0 ||
        (rule->password.bytes != NULL &&
         secret_set(&server->redis_password, rule->password.bytes, rule->password.size) != 0))
        return NULL;
    server->redis.password = (const char *)server->redis_password.bytes;
    return redis_store_create(server->loop, &server->redis, server->accounts, accept);
#else
    (void)server;
    (void)accept;
    return NULL;
#endif
}

/* A daemon that is to remember nothing over a restart, and is given no directory, needs none. */
static bool keeps_nothing(const struct config *config)
{
    const struct section *state = section_single(&config->sections, SECTION_STATE);

    return config->replay->store.kind == STORE_MEMORY && !section_sets(state, "dir");
}

static int open_directory(struct server *server)
{
    const struct config *config = server->config;
    char error[PATH_ERROR_SIZE];
    int wait_ms = (int)config->server->drain_timeout_ms + SYNC_MS;

    if (state_directory_open(&server->state, config->state->directory, wait_ms, error) == 0)
        return 0;
    log_failure(error);
    return -1;
}

int server_open_state(struct server *server)
{
    const struct config *config = server->config;
    char path[PATH_MAX] = ":memory:";
    const char *error = NULL;

    if (!keeps_nothing(config)) {
        if (open_directory(server) != 0)
            return -1;
        snprintf(path, sizeof(path), "%s/users.db", config->state->directory);
    }
    server->accounts = accounts_open(path, server_accounts_limits(config),
                                     moment_seconds(server->started), &error);
    if (server->accounts == NULL)
        log_failure(error);
    return server->accounts == NULL ? -1 : 0;
}

const char *server_state_lost(const struct server *server)
{
    return state_directory_lost(&server->state, server->config->state->directory);
}

struct accounts_limits server_accounts_limits(const struct config *config)
{
    return (struct accounts_limits){.seen_max = (size_t)config->state->seen_max,
                                    .seen_age_s = config->state->seen_age_ms / 1000};
}

static int begin_reach(const struct server *server, struct spent_store *store)
{
    char text[128];

    if (spent_store_begin_reach(store, server->state.directory, &server->config->reach,
                                server->started) == 0)
        return 0;
    snprintf(text, sizeof(text), "the file reach in the state directory can't be written: %s",
             strerror(errno));
    log_failure(text);
    return -1;
}

struct spent_store *server_open_store(struct server *server)
{
    const struct replay_values *replay = server->config->replay;
    bool accept = replay->after_restart == AFTER_RESTART_ACCEPT;
    struct spent_store *store;

    if (replay->store.kind == STORE_JOURNAL) {
        store = open_journal(server, accept);
    } else {
        store = replay->store.kind == STORE_REDIS ? open_redis(server, accept)
                                                  : memory_store_create(server->started, accept);
        if (store == NULL)
            log_failure("memory is short");
    }
    if (store != NULL && begin_reach(server, store) != 0)
        spent_store_destroy(&store);
    return store;
}
