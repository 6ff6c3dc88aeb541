#include "daemon/verdict_log.h"

#include <string.h>

#include "daemon/log.h"
#include "token/verify.h"

void verdict_log_init(struct verdict_log *log)
{
    *log = (struct verdict_log){.free_count = VERDICT_LINES_A_SECOND};
    for (int i = 0; i < VERDICT_LINES_A_SECOND; i++)
        log->free_places[i] = i;
}

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

int verdict_log_prepare(struct verdict_log *log, const struct question *question,
                        const struct verdict_details *details, uint64_t connection,
                        struct moment now)
{
    struct logfmt *fields;
    int place;

    verdict_log_flush(log, now);
    if (log->lines >= VERDICT_LINES_A_SECOND || log->free_count == 0 || !log_wants(LOG_LEVEL_INFO))
        return NO_VERDICT_LINE;
    log->lines++;
    place = log->free_places[--log->free_count];
    fields = &log->waiting[place];
    fields->length = 0;
    logfmt_text(fields, "question", question_word(question->kind));
    if (question->user_length > 0) {
        logfmt_bytes(fields, "user", question->user, question->user_length);
        logfmt_bytes(fields, "host", question->host, question->host_length);
    }
    if (details->key != NULL && details->key[0] != '\0')
        logfmt_text(fields, "key", details->key);
    if (details->clock_offset != 0)
        add_clock(fields, details);
    logfmt_number(fields, "connection", (int64_t)connection);
    return place;
}

static void add_verdict(struct log_line *line, enum reason reason)
{
    logfmt_text(&line->fields, "verdict", verdict_word(reason));
    logfmt_text(&line->fields, "reason", reason_word(reason));
}

void verdict_log_conclude(struct verdict_log *log, int place, enum reason reason)
{
    struct log_line line;

    if (place == NO_VERDICT_LINE) {
        log->summed[reason]++;
        return;
    }
    log_begin(&line, LOG_LEVEL_INFO, "verdict");
    add_verdict(&line, reason);
    logfmt_append(&line.fields, &log->waiting[place]);
    log_end(&line, LOG_LEVEL_INFO);
    log->free_places[log->free_count++] = place;
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
        add_verdict(&line, (enum reason)i);
        logfmt_number(&line.fields, "count", (int64_t)log->summed[i]);
        log_end(&line, LOG_LEVEL_INFO);
    }
    memset(log->summed, 0, sizeof(log->summed));
}
