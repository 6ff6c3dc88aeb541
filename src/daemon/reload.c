#include "daemon/reload.h"

#include <stdbool.h>
#include <stdlib.h>

#include "daemon/log.h"
#include "daemon/process.h"
#include "daemon/store.h"
#include "daemon/worker.h"

enum reload_state {
    RELOAD_IDLE,
    RELOAD_LOADING, /* the thread has current, next, plan and problems */
    RELOAD_FREEING  /* the thread has next, which is the old one now, and plan */
};

struct reload {
    struct server *server;
    struct worker *worker;
    enum reload_state state;
    bool is_asked_again;
    const struct config *current; /* the server's; nobody changes it meanwhile */
    struct config *next;          /* NULL: refused */
    struct tally_plan *plan;
    struct problems *problems; /* NULL: memory is short */
};

void log_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems_count(problems); i++) {
        const struct problem *problem = problems_at(problems, i);

        log_event_text(problem->severity == SEVERITY_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
                       "configuration", "problem", problem->text);
    }
}

/* --- in the thread */

static void load(void *context)
{
    struct reload *reload = context;
    struct problems *problems = reload->problems = problems_create();

    if (problems == NULL)
        return;
    reload->next = config_load(reload->current->path, problems);
    if (reload->next != NULL && !config_may_replace(reload->current, reload->next, problems))
        config_destroy(&reload->next);
    if (reload->next == NULL)
        return;
    reload->plan = authority_prepare(&reload->server->authority, reload->next);
    if (reload->plan == NULL) {
        problems_error(problems, reload->next->path, 0, "memory is short");
        config_destroy(&reload->next);
    }
}

static void free_old(void *context)
{
    struct reload *reload = context;

    config_destroy(&reload->next);
    tally_plan_destroy(&reload->plan);
}

/* --- in the loop */

static void begin(struct reload *reload)
{
    reload->state = RELOAD_LOADING;
    reload->is_asked_again = false;
    reload->current = reload->server->config;
    service_reloading(reload->server);
    worker_begin(reload->worker, load, reload);
}

/* From here on reload->next is the old one. */
static void take_over(struct reload *reload)
{
    struct server *server = reload->server;
    struct config *old = server->config;

    authority_reconfigure(&server->authority, reload->next, reload->plan);
    server->config = reload->next;
    reload->next = old;
    accounts_set_limits(server->accounts, server_accounts_limits(server->config));
    log_set_level((enum log_level)server->config->log->level);
    process_raise_descriptor_limit(server->config->server->max_connections);
}

static void begin_next(struct reload *reload)
{
    reload->state = RELOAD_IDLE;
    if (reload->is_asked_again)
        begin(reload);
}

/* The old secrets are gone from memory when a reload is said to be over. */
static void conclude(struct reload *reload, bool failed)
{
    struct server *server = reload->server;

    server->reload_failed = failed;
    if (failed) {
        server->failed_reloads++;
        log_event_text(LOG_LEVEL_ERROR, "reload-failed", "effect", "the old configuration stays");
    } else {
        server->reloads++;
        log_event(LOG_LEVEL_INFO, "reloaded");
    }
    service_reloaded(server);
    begin_next(reload);
}

static void on_over(void *context)
{
    struct reload *reload = context;

    if (reload->state == RELOAD_FREEING) {
        conclude(reload, false);
        return;
    }
    if (reload->problems != NULL)
        log_problems(reload->problems);
    problems_destroy(&reload->problems);
    if (reload->next == NULL) {
        conclude(reload, true);
        return;
    }
    take_over(reload);
    /* Another reload begins only when the old one is gone, for the memory for secrets has room for
     * two beside each other. */
    reload->state = RELOAD_FREEING;
    worker_begin(reload->worker, free_old, reload);
}

int reload_open(struct server *server)
{
    struct reload *reload = calloc(1, sizeof(*reload));

    server->reload = reload;
    if (reload != NULL) {
        reload->server = server;
        reload->worker = worker_create(server->loop, on_over, reload);
        if (reload->worker != NULL)
            return 0;
    }
    log_event_text(LOG_LEVEL_ERROR, "start-failed", "why", "memory or descriptors are short");
    return -1;
}

void server_reload(struct server *server)
{
    struct reload *reload = server->reload;

    if (reload->state == RELOAD_IDLE)
        begin(reload);
    else
        reload->is_asked_again = true;
}

void reload_close(struct server *server)
{
    struct reload *reload = server->reload;

    if (reload == NULL)
        return;
    worker_destroy(&reload->worker);
    config_destroy(&reload->next);
    tally_plan_destroy(&reload->plan);
    problems_destroy(&reload->problems);
    free(reload);
    server->reload = NULL;
}
