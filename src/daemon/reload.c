#include "daemon/reload.h"

#include "daemon/log.h"
#include "daemon/process.h"
#include "daemon/store.h"

void log_problems(const struct problems *problems)
{
    for (size_t i = 0; i < problems_count(problems); i++) {
        const struct problem *problem = problems_at(problems, i);

        log_event_text(problem->severity == SEVERITY_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
                       "configuration", "problem", problem->text);
    }
}

static void take_over(struct server *server, struct config *next)
{
    struct config *old = server->config;

    server->config = next;
    accounts_set_limits(server->accounts, server_accounts_limits(next));
    log_set_level((enum log_level)next->log->level);
    process_raise_descriptor_limit(next->server->max_connections);
    config_destroy(&old);
}

void server_reload(struct server *server)
{
    struct problems *problems = problems_create();
    struct config *next = NULL;

    service_reloading(server);
    if (problems != NULL)
        next = config_load(server->config->path, problems);
    if (next != NULL && !config_may_replace(server->config, next, problems))
        config_destroy(&next);
    if (next != NULL && authority_reconfigure(&server->authority, next) != 0) {
        problems_error(problems, next->path, 0, "memory is short");
        config_destroy(&next);
    }
    if (problems != NULL)
        log_problems(problems);
    server->reload_failed = next == NULL;
    if (next == NULL) {
        server->failed_reloads++;
        log_event_text(LOG_LEVEL_ERROR, "reload-failed", "effect", "the old configuration stays");
    } else {
        server->reloads++;
        take_over(server, next);
        log_event(LOG_LEVEL_INFO, "reloaded");
    }
    problems_destroy(&problems);
    service_reloaded(server);
}
