#include "daemon/verdict_log.h"

#include <string.h>

#include "daemon/log.h"
#include "token/verify.h"

static const char *question_word(enum question_kind kind)
{
    switch (kind) {
    case QUESTION_AUTH:
        return "auth";
    case QUESTION_IS_USER:
        return "isuser";
    default:
        return "other";
    }
}

static const char *verdict_word(enum reason reason)
{
    if (reason == REASON_ALLOWED)
        return "allow";
    return reason_is_undecided(reason) ? "try-again" : "deny";
}

static void add_clock(struct logfmt *fields, const struct verdict_details *details)
{
    int64_t zone = time_zone_offset(details->clock_offset, details->format);

    logfmt_number(fields, "clock_offset_s", details->clock_offset);
    if (zone != 0)
        logfmt_number(fields, "time_zone_bug_s", zone);
}

static void write_line(const struct question *question, enum reason reason,
                       const struct verdict_details *details)
{
    struct log_line line;

    log_begin(&line, LOG_LEVEL_INFO, "verdict");
    logfmt_text(&line.fields, "verdict", verdict_word(reason));
    logfmt_text(&line.fields, "reason", reason_word(reason));
    logfmt_text(&line.fields, "question", question_word(question->kind));
    if (question->user_length > 0) {
        logfmt_bytes(&line.fields, "user", question->user, question->user_length);
        logfmt_bytes(&line.fields, "host", question->host, question->host_length);
    }
    if (details->key != NULL && details->key[0] != '\0')
        logfmt_text(&line.fields, "key", details->key);
    if (reason == REASON_EXPIRED || reason == REASON_EARLY)
        add_clock(&line.fields, details);
    logfmt_number(&line.fields, "connection", (int64_t)details->connection);
    log_end(&line, LOG_LEVEL_INFO);
}

void verdict_log_flush(struct verdict_log *log, struct moment now)
{
    if (now.boot_ms / 1000 == log->second)
        return;
    log->second = now.boot_ms / 1000;
    log->lines = 0;
    for (size_t i = 0; i < REASON_COUNT; i++) {
        struct log_line line;

        if (log->summed[i] == 0)
            continue;
        log_begin(&line, LOG_LEVEL_INFO, "verdicts-summed");
        logfmt_text(&line.fields, "verdict", verdict_word((enum reason)i));
        logfmt_text(&line.fields, "reason", reason_word((enum reason)i));
        logfmt_number(&line.fields, "count", (int64_t)log->summed[i]);
        log_end(&line, LOG_LEVEL_INFO);
    }
    memset(log->summed, 0, sizeof(log->summed));
}

void verdict_log_write(struct verdict_log *log, const struct question *question, enum reason reason,
                       const struct verdict_details *details, struct moment now)
{
    if (!log_wants(LOG_LEVEL_INFO))
        return;
    verdict_log_flush(log, now);
    if (log->lines < VERDICT_LINES_A_SECOND) {
        log->lines++;
        write_line(question, reason, details);
    } else {
        log->summed[reason]++;
    }
}
