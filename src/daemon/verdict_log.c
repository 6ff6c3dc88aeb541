#include "daemon/verdict_log.h"

#include <string.h>

#include "daemon/log.h"
#include "daemon/tally.h"
#include "daemon/verdict_book.h"

void verdict_log_init(struct verdict_log *log)
{
    *log = (struct verdict_log){.free_count = VERDICT_PLACES};
    for (int i = 0; i < VERDICT_PLACES; i++)
        log->free_places[i] = i;
}

const char *verdict_question_word(enum question_kind kind)
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

/* The host's sum of this second; hosts that come when all places are taken go with all others. */
static struct verdict_sum *sum_of(struct verdict_log *log, struct tally_host *host)
{
    if (host == NULL)
        return &log->others;
    /* Most likely where it was last: with thousands of hosts nothing is searched. */
    if (host->log_place < log->sum_count && log->sums[host->log_place].host == host)
        return &log->sums[host->log_place];
    if (log->sum_count == VERDICT_SUMS)
        return &log->others;
    host->log_place = (uint8_t)log->sum_count;
    log->sums[log->sum_count].host = host;
    return &log->sums[log->sum_count++];
}

/* A host's first line of a second is written whatever the others have used up. */
static bool has_line(struct verdict_log *log, struct tally_host *host)
{
    struct verdict_sum *sum = sum_of(log, host);
    bool is_first = sum->host != NULL && sum->lines == 0;

    if ((log->lines >= VERDICT_LINES_A_SECOND && !is_first) ||
        sum->lines >= VERDICT_LINES_OF_A_HOST || log->free_count == 0 || !log_wants(LOG_LEVEL_INFO))
        return false;
    log->lines++;
    sum->lines++;
    return true;
}

int verdict_log_prepare(struct verdict_log *log, const struct verdict_facts *facts)
{
    const struct question *question = facts->question;
    struct logfmt *fields;
    int place;

    verdict_log_flush(log, facts->now);
    if (!has_line(log, facts->row))
        return NO_VERDICT_LINE;
    place = log->free_places[--log->free_count];
    fields = &log->waiting[place];
    fields->length = 0;
    logfmt_text(fields, "question", verdict_question_word(question->kind));
    if (question->user_length > 0) {
        logfmt_bytes(fields, "user", question->user, question->user_length);
        logfmt_bytes(fields, "host", question->host, question->host_length);
    }
    if (facts->key != NULL && facts->key->name != NULL && facts->key->name[0] != '\0')
        logfmt_text(fields, "key", facts->key->name);
    if (facts->clock_offset != 0)
        logfmt_number(fields, "clock_offset_s", facts->clock_offset);
    logfmt_number(fields, "connection", (int64_t)facts->connection);
    return place;
}

static void add_verdict(struct log_line *line, enum reason reason)
{
    logfmt_text(&line->fields, "verdict", verdict_word(reason));
    logfmt_text(&line->fields, "reason", reason_word(reason));
}

void verdict_log_conclude(struct verdict_log *log, int place, struct tally_host *host,
                          enum reason reason)
{
    struct log_line line;

    if (place == NO_VERDICT_LINE) {
        sum_of(log, host)->counts[reason]++;
        return;
    }
    log_begin(&line, LOG_LEVEL_INFO, "verdict");
    add_verdict(&line, reason);
    logfmt_append(&line.fields, &log->waiting[place]);
    log_end(&line, LOG_LEVEL_INFO);
    log->free_places[log->free_count++] = place;
}

static void write_sum(struct verdict_sum *sum)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        struct log_line line;

        if (sum->counts[i] == 0)
            continue;
        log_begin(&line, LOG_LEVEL_INFO, "verdicts-summed");
        add_verdict(&line, (enum reason)i);
        if (sum->host != NULL)
            logfmt_text(&line.fields, "section", sum->host->rest->name);
        logfmt_number(&line.fields, "count", (int64_t)sum->counts[i]);
        log_end(&line, LOG_LEVEL_INFO);
    }
    *sum = (struct verdict_sum){0};
}

void verdict_log_write_sums(struct verdict_log *log)
{
    for (size_t i = 0; i < log->sum_count; i++)
        write_sum(&log->sums[i]);
    log->sum_count = 0;
    write_sum(&log->others);
}

void verdict_log_flush(struct verdict_log *log, struct moment now)
{
    if (now.boot_ms / 1000 == log->second)
        return;
    log->second = now.boot_ms / 1000;
    log->lines = 0;
    verdict_log_write_sums(log);
}
