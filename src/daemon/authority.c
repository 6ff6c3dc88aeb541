#include "daemon/authority.h"

#include "token/verify.h"

int authority_init(struct authority *authority, const struct config *config, struct moment start)
{
    *authority = (struct authority){.config = config, .index = replay_index_create()};
    if (authority->index == NULL)
        return -1;
    if (config->replay->after_restart == AFTER_RESTART_REFUSE)
        start_floor_set(&authority->floor, start);
    return 0;
}

void authority_deinit(struct authority *authority)
{
    replay_index_destroy(&authority->index);
}

static enum reason spend(struct authority *authority, const struct host *host,
                         const struct token_verdict *verdict, struct moment now)
{
    const struct token_format *format = &host->format;
    struct spend spend = {.id = signature_id_of(verdict->signature),
                          .first_step = verdict->steps.first,
                          .filing_step = verdict->filing_step,
                          .interval = format->interval,
                          .window = format->window};

    start_floor_observe(&authority->floor, now);
    if (start_floor_covers(&authority->floor, spend.first_step, format->interval, format->window))
        return REASON_STARTING;
    switch (replay_index_spend(authority->index, &spend, now)) {
    case SPEND_FRESH:
        return REASON_ALLOWED;
    case SPEND_REPLAYED:
    case SPEND_CLOSED:
        return REASON_REPLAYED;
    case SPEND_FAILED:
        break;
    }
    return REASON_STORE_ERROR;
}

static enum reason judge_login(struct authority *authority, const struct question *question,
                               struct moment now, struct verdict_details *details)
{
    const struct host *host = config_host(authority->config, question->host, question->host_length);
    const struct claim claim = {question->user,     question->user_length,
                                question->host,     question->host_length,
                                question->password, question->password_length};
    struct token_verdict verdict;

    if (host == NULL)
        return REASON_UNKNOWN_HOST;
    token_verify(host->keys, host->key_count, &host->format, &claim, moment_seconds(now), &verdict);
    details->format = &host->format;
    details->clock_offset = verdict.clock_offset;
    if (verdict.reason != REASON_MALFORMED && verdict.reason != REASON_FORGED)
        details->key = host->key_names[verdict.key];
    if (verdict.reason != REASON_ALLOWED)
        return verdict.reason;
    return spend(authority, host, &verdict, now);
}

static enum reason judge_user(const struct authority *authority, const struct question *question)
{
    const struct host *host = config_host(authority->config, question->host, question->host_length);

    if (host == NULL)
        return REASON_UNKNOWN_HOST;
    switch (host->is_user.mode) {
    case IS_USER_ALWAYS:
        return REASON_ALLOWED;
    case IS_USER_NEVER:
        break;
    case IS_USER_FILE:
        if (user_list_holds(&host->users, question->user, question->user_length, question->host,
                            question->host_length))
            return REASON_ALLOWED;
        break;
    }
    return REASON_UNKNOWN_USER;
}

static enum reason judge(struct authority *authority, const struct question *question,
                         struct moment now, struct verdict_details *details)
{
    switch (question->kind) {
    case QUESTION_AUTH:
        return judge_login(authority, question, now, details);
    case QUESTION_IS_USER:
        return judge_user(authority, question);
    case QUESTION_UNSUPPORTED:
    case QUESTION_TRY_AGAIN: /* anywhere but at the beginning */
        return REASON_UNSUPPORTED;
    case QUESTION_MALFORMED:
        break;
    }
    return REASON_MALFORMED;
}

enum answer authority_ask(struct authority *authority, const struct question *question,
                          struct moment now, uint64_t connection)
{
    struct verdict_details details = {.connection = connection};
    enum reason reason = judge(authority, question, now, &details);

    if (question->kind == QUESTION_IS_USER)
        authority->is_user_counts[reason]++;
    else
        authority->auth_counts[reason]++;
    verdict_log_write(&authority->log, question, reason, &details, now);
    if (reason == REASON_ALLOWED)
        return ANSWER_YES;
    return reason_is_undecided(reason) ? ANSWER_TRY_AGAIN : ANSWER_NO;
}

void authority_refuse_unframed(struct authority *authority, struct moment now, uint64_t connection)
{
    static const struct question unframed = {.kind = QUESTION_MALFORMED};

    authority_ask(authority, &unframed, now, connection);
}

void authority_tick(struct authority *authority, struct moment now)
{
    start_floor_observe(&authority->floor, now);
    replay_index_drop_old(authority->index, now);
    verdict_log_flush(&authority->log, now);
}

int64_t authority_opens(const struct authority *authority, struct moment now)
{
    const struct config *config = authority->config;
    int64_t latest = 0;

    for (size_t i = 0; i < config->host_count && authority->floor.active; i++) {
        const struct token_format *format = &config->hosts[i].format;
        int64_t opens = start_floor_opens(&authority->floor, format->interval, format->window);

        if (opens > latest)
            latest = opens;
    }
    return latest > moment_seconds(now) ? latest : 0;
}
