#include "daemon/status.h"

#include <unistd.h>

#include "base/logfmt.h"
#include "base/timestamp.h"
#include "config/digest.h"
#include "daemon/answer_line.h"
#include "daemon/connection.h"

static void begin(struct logfmt *line, const char *what)
{
    line->length = 0;
    logfmt_text(line, "what", what);
}

static void write_daemon(struct server *server, struct moment now, struct evbuffer *output)
{
    char text[TIMESTAMP_SIZE], digest[CONFIG_DIGEST_SIZE];
    struct logfmt line;

    begin(&line, "daemon");
    logfmt_text(&line, "version", XMPP_AUTHD_VERSION);
    logfmt_number(&line, "pid", getpid());
    logfmt_text(&line, "started", timestamp_format(moment_seconds(server->started), text));
    logfmt_number(&line, "uptime_s", (now.boot_ms - server->started.boot_ms) / 1000);
    logfmt_text(&line, "state", server->draining ? "draining" : "running");
    logfmt_number(&line, "hosts", (int64_t)server->config->host_count);
    if (config_digest(server->config, digest) == 0)
        logfmt_text(&line, "configuration", digest);
    logfmt_number(&line, "reloads", (int64_t)server->reloads);
    logfmt_number(&line, "failed_reloads", (int64_t)server->failed_reloads);
    if (server->reload_failed)
        logfmt_text(&line, "last_reload", "failed");
    logfmt_number(&line, "users_seen", (int64_t)accounts_seen_count(server->accounts));
    logfmt_number(&line, "users_denied",
                  (int64_t)accounts_denied_at(server->accounts, moment_seconds(now)));
    if (accounts_unshared_count(server->accounts) > 0)
        logfmt_number(&line, "denials_unshared",
                      (int64_t)accounts_unshared_count(server->accounts));
    answer_line_write(&line, output);
}

static void write_connections(const struct server *server, struct evbuffer *output)
{
    struct logfmt line;

    begin(&line, "connections");
    logfmt_number(&line, "open", (int64_t)server->connection_count);
    logfmt_number(&line, "max", server->config->server->max_connections);
    logfmt_number(&line, "accepted", (int64_t)server->accepted);
    logfmt_number(&line, "refused", (int64_t)server->refused);
    logfmt_number(&line, "pending_bytes", (int64_t)connections_pending_bytes(server));
    answer_line_write(&line, output);
}

static void write_replay(struct server *server, struct moment now, struct evbuffer *output)
{
    struct replay_usage usage = replay_index_usage(server->authority.store->index);
    int64_t opens = authority_opens(&server->authority, now);
    char text[TIMESTAMP_SIZE];
    struct logfmt line;

    begin(&line, "replay");
    logfmt_text(&line, "store", server->authority.store->operations->word);
    logfmt_number(&line, "spent", (int64_t)usage.tokens);
    logfmt_number(&line, "steps", (int64_t)usage.shelves);
    logfmt_number(&line, "bytes", (int64_t)usage.memory);
    logfmt_text(&line, "state", opens == 0 ? "open" : "starting");
    if (opens != 0)
        logfmt_text(&line, "opens", timestamp_format(opens, text));
    logfmt_number(&line, "errors", (int64_t)server->authority.store->failures);
    logfmt_text(&line, "failure", server->authority.store->failure);
    answer_line_write(&line, output);
}

static void write_verdicts(const char *question, const uint64_t *counts, struct evbuffer *output)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        struct logfmt line;

        if (counts[i] == 0)
            continue;
        begin(&line, "verdicts");
        logfmt_text(&line, "question", question);
        logfmt_text(&line, "reason", reason_word((enum reason)i));
        logfmt_number(&line, "count", (int64_t)counts[i]);
        answer_line_write(&line, output);
    }
}

/* Hosts whose minters' clocks are known to be off: a few at a time, or all is lost anyway. */
static void write_clocks(const struct tally *tally, struct evbuffer *output)
{
    size_t left = 20;

    for (size_t i = 0; i < tally->host_count && left > 0; i++) {
        const struct tally_clock *clock = &tally->hosts[i]->rest->clock;
        char text[TIMESTAMP_SIZE];
        struct logfmt line;

        if (clock->confirmed_at == 0)
            continue;
        left--;
        begin(&line, "clock");
        logfmt_text(&line, "host", tally->hosts[i]->rest->name);
        logfmt_number(&line, "offset_s", clock->confirmed);
        logfmt_text(&line, "confirmed", timestamp_format(clock->confirmed_at, text));
        answer_line_write(&line, output);
    }
}

static void write_recorder(const struct flight_recorder *recorder, struct evbuffer *output)
{
    struct flight_recorder_usage usage = flight_recorder_usage(recorder);
    struct logfmt line;

    begin(&line, "recorder");
    logfmt_number(&line, "users", (int64_t)usage.genuine_users);
    logfmt_number(&line, "unproven_users", (int64_t)usage.other_users);
    logfmt_number(&line, "max_bytes", (int64_t)usage.bytes);
    answer_line_write(&line, output);
}

/* The buckets that are not empty. */
static void write_latency(const struct tally_latency *latency, struct evbuffer *output)
{
    for (size_t i = 0; i <= TALLY_LATENCY_BOUNDS; i++) {
        struct logfmt line;

        if (latency->counts[i] == 0)
            continue;
        begin(&line, "latency");
        logfmt_number(&line, "above_us", i == 0 ? 0 : tally_latency_bounds_ns[i - 1] / 1000);
        if (i < TALLY_LATENCY_BOUNDS)
            logfmt_number(&line, "within_us", tally_latency_bounds_ns[i] / 1000);
        else
            logfmt_text(&line, "within_us", "more");
        logfmt_number(&line, "count", (int64_t)latency->counts[i]);
        answer_line_write(&line, output);
    }
}

/* --- hosts */

/* So many, those with the most logins, are told of; there may be thousands. */
enum { HOSTS_MAX = 100 };

struct host_sums {
    const struct tally_host *host;
    uint64_t allowed;
    uint64_t denied;
    uint64_t undecided;
};

static uint64_t logins_of(const struct host_sums *sums)
{
    return sums->allowed + sums->denied + sums->undecided;
}

static struct host_sums add_up(const struct tally_host *host)
{
    const struct tally_counts *counts = &host->rest->counts;
    struct host_sums sums = {.host = host, .allowed = host->allowed};

    for (size_t i = 0; i < REASON_COUNT; i++) {
        if (reason_is_undecided((enum reason)i))
            sums.undecided += counts->auth[i];
        else if (i != REASON_ALLOWED)
            sums.denied += counts->auth[i];
    }
    return sums;
}

/* Files it among the busiest, which are sorted, if it belongs there; how many there are then. */
static size_t rank(struct host_sums *busiest, size_t count, const struct host_sums *sums)
{
    size_t at = count;

    while (at > 0 && logins_of(&busiest[at - 1]) < logins_of(sums)) {
        if (at < HOSTS_MAX)
            busiest[at] = busiest[at - 1];
        at--;
    }
    if (at < HOSTS_MAX)
        busiest[at] = *sums;
    return count < HOSTS_MAX ? count + 1 : count;
}

static void write_hosts(const struct tally *tally, struct evbuffer *output)
{
    struct host_sums busiest[HOSTS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < tally->host_count; i++) {
        struct host_sums sums = add_up(tally->hosts[i]);

        if (logins_of(&sums) > 0 || tally->hosts[i]->rest->clock.confirmed_at != 0)
            count = rank(busiest, count, &sums);
    }
    for (size_t i = 0; i < count; i++) {
        const struct tally_clock *clock = &busiest[i].host->rest->clock;
        struct logfmt line;

        begin(&line, "host");
        logfmt_text(&line, "host", busiest[i].host->rest->name);
        logfmt_number(&line, "allowed", (int64_t)busiest[i].allowed);
        logfmt_number(&line, "denied", (int64_t)busiest[i].denied);
        logfmt_number(&line, "undecided", (int64_t)busiest[i].undecided);
        if (clock->confirmed_at != 0)
            logfmt_number(&line, "clock_offset_s", clock->confirmed);
        answer_line_write(&line, output);
    }
}

void status_write(struct server *server, struct evbuffer *output)
{
    struct moment now = server_now(server);

    write_daemon(server, now, output);
    write_connections(server, output);
    write_replay(server, now, output);
    write_recorder(&server->authority.book.recorder, output);
    write_clocks(&server->authority.tally, output);
    write_verdicts("auth", server->authority.tally.all.auth, output);
    write_verdicts("isuser", server->authority.tally.all.is_user, output);
    write_latency(&server->authority.tally.latency, output);
    write_hosts(&server->authority.tally, output);
}
