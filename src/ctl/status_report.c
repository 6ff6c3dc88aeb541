#include "ctl/status_report.h"

#include <string.h>

#include "base/logfmt_line.h"
#include "base/number.h"

/* A line as it is being read; terminated, without its end. */
static bool take_text(const char *line, const char *name, char text_r[REPORT_TEXT_SIZE])
{
    if (!logfmt_line_value(line, name, text_r, REPORT_TEXT_SIZE)) {
        text_r[0] = '\0';
        return false;
    }
    for (char *at = text_r; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            *at = '?';
    }
    return true;
}

static uint64_t take_number(const char *line, const char *name)
{
    char text[REPORT_TEXT_SIZE];
    int64_t number = 0;

    if (!take_text(line, name, text) || number_parse(text, strlen(text), &number) != 0)
        return 0;
    return (uint64_t)number;
}

static void read_daemon(const char *line, struct status_report *report)
{
    char answer[REPORT_TEXT_SIZE];

    take_text(line, "version", report->version);
    take_text(line, "started", report->started);
    take_text(line, "state", report->state);
    report->pid = take_number(line, "pid");
    report->uptime_s = take_number(line, "uptime_s");
    report->hosts = take_number(line, "hosts");
    report->reloads = take_number(line, "reloads");
    report->failed_reloads = take_number(line, "failed_reloads");
    report->reload_failed = take_text(line, "last_reload", answer) && strcmp(answer, "failed") == 0;
    report->seen = take_number(line, "users_seen");
    report->denied = take_number(line, "users_denied");
    report->unshared = take_number(line, "denials_unshared");
}

static void read_connections(const char *line, struct status_report *report)
{
    report->clients = take_number(line, "open");
    report->clients_max = take_number(line, "max");
    report->accepted = take_number(line, "accepted");
    report->refused = take_number(line, "refused");
    report->pending_bytes = take_number(line, "pending_bytes");
}

static void read_replay(const char *line, struct status_report *report)
{
    take_text(line, "store", report->store);
    take_text(line, "state", report->record);
    take_text(line, "opens", report->opens);
    take_text(line, "failure", report->failure);
    report->spent = take_number(line, "spent");
    report->steps = take_number(line, "steps");
    report->memory = take_number(line, "bytes");
    report->store_errors = take_number(line, "errors");
}

static void read_recorder(const char *line, struct status_report *report)
{
    report->remembered = take_number(line, "users") + take_number(line, "unproven_users");
}

static void read_verdicts(const char *line, struct status_report *report)
{
    char question[REPORT_TEXT_SIZE];
    char reason[REPORT_TEXT_SIZE];

    if (!take_text(line, "question", question) || !take_text(line, "reason", reason))
        return;
    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (strcmp(reason, reason_word((enum reason)i)) != 0)
            continue;
        if (strcmp(question, "isuser") == 0)
            report->is_user[i] = take_number(line, "count");
        else
            report->auth[i] = take_number(line, "count");
    }
}

static void read_latency(const char *line, struct status_report *report)
{
    struct report_bucket *bucket = &report->buckets[report->bucket_count];
    char bound[REPORT_TEXT_SIZE];

    if (report->bucket_count == REPORT_BUCKETS_MAX || !take_text(line, "within_us", bound))
        return;
    if (number_parse(bound, strlen(bound), &bucket->bound_us) != 0)
        bucket->bound_us = INT64_MAX;
    bucket->above_us = (int64_t)take_number(line, "above_us");
    bucket->count = take_number(line, "count");
    report->bucket_count++;
}

static void read_host(const char *line, struct status_report *report)
{
    struct report_host *host = &report->listed[report->listed_count];
    char offset[REPORT_TEXT_SIZE];
    int64_t seconds;

    if (report->listed_count == REPORT_HOSTS_MAX || !take_text(line, "host", host->name))
        return;
    host->allowed = take_number(line, "allowed");
    host->denied = take_number(line, "denied");
    host->undecided = take_number(line, "undecided");
    if (take_text(line, "clock_offset_s", offset)) {
        bool is_behind = offset[0] == '-';

        if (number_parse(offset + is_behind, strlen(offset + is_behind), &seconds) == 0) {
            host->clock_is_off = true;
            host->clock_offset = is_behind ? -seconds : seconds;
        }
    }
    report->listed_count++;
}

static void read_line(const char *line, struct status_report *report)
{
    static const struct {
        const char *what;
        void (*read)(const char *line, struct status_report *report);
    } kinds[] = {
        {"daemon", read_daemon},     {"connections", read_connections}, {"replay", read_replay},
        {"verdicts", read_verdicts}, {"latency", read_latency},         {"recorder", read_recorder},
        {"host", read_host},
    };
    char what[REPORT_TEXT_SIZE];

    if (!take_text(line, "what", what))
        return;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(what, kinds[i].what) == 0)
            kinds[i].read(line, report);
    }
}

int status_report_read(struct status_report *report_r, const char *answer)
{
    char line[4096];

    *report_r = (struct status_report){0};
    while (*answer != '\0') {
        size_t length = strcspn(answer, "\n");

        if (length < sizeof(line)) {
            memcpy(line, answer, length);
            line[length] = '\0';
            read_line(line, report_r);
        }
        answer += length + (answer[length] == '\n');
    }
    return report_r->version[0] == '\0' ? -1 : 0;
}

/* How many of the decisions of a bucket are new. */
static uint64_t new_in_bucket(const struct report_bucket *bucket,
                              const struct status_report *earlier)
{
    for (size_t i = 0; earlier != NULL && i < earlier->bucket_count; i++) {
        if (earlier->buckets[i].bound_us == bucket->bound_us)
            return bucket->count >= earlier->buckets[i].count
                       ? bucket->count - earlier->buckets[i].count
                       : bucket->count;
    }
    return bucket->count;
}

double status_report_quantile(const struct status_report *report,
                              const struct status_report *earlier, double share)
{
    uint64_t total = 0;
    uint64_t below = 0;
    double wanted;

    for (size_t i = 0; i < report->bucket_count; i++)
        total += new_in_bucket(&report->buckets[i], earlier);
    if (total == 0)
        return -1;
    wanted = share * (double)total;
    for (size_t i = 0; i < report->bucket_count; i++) {
        const struct report_bucket *bucket = &report->buckets[i];
        uint64_t here = new_in_bucket(bucket, earlier);
        double floor = (double)bucket->above_us;

        /* Nothing is known of the last one but that it is beyond its floor. */
        if (here > 0 && bucket->bound_us == INT64_MAX)
            return floor;
        if (here > 0 && (double)(below + here) >= wanted)
            return floor +
                   ((double)bucket->bound_us - floor) * (wanted - (double)below) / (double)here;
        below += here;
    }
    return (double)report->buckets[report->bucket_count - 1].bound_us;
}

struct report_sums status_report_sums(const struct status_report *report)
{
    struct report_sums sums = {.allowed = report->auth[REASON_ALLOWED]};

    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (reason_is_undecided((enum reason)i))
            sums.undecided += report->auth[i];
        else if (i != REASON_ALLOWED)
            sums.denied += report->auth[i];
    }
    return sums;
}
