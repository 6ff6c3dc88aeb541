#include "daemon/status.h"

#include <unistd.h>

#include "base/logfmt.h"
#include "base/timestamp.h"

static void begin(struct logfmt *line, const char *what)
{
    line->length = 0;
    logfmt_text(line, "what", what);
}

static void end(const struct logfmt *line, struct evbuffer *output)
{
    evbuffer_add(output, line->text, line->length);
    evbuffer_add(output, "\n", 1);
}

static void write_daemon(struct server *server, struct moment now, struct evbuffer *output)
{
    char text[TIMESTAMP_SIZE];
    struct logfmt line;

    begin(&line, "daemon");
    logfmt_text(&line, "version", XMPP_AUTHD_VERSION);
    logfmt_number(&line, "pid", getpid());
    logfmt_text(&line, "started", timestamp_format(moment_seconds(server->started), text));
    logfmt_number(&line, "uptime_s", (now.boot_ms - server->started.boot_ms) / 1000);
    logfmt_text(&line, "state", server->draining ? "draining" : "running");
    logfmt_number(&line, "hosts", (int64_t)server->config->host_count);
    logfmt_number(&line, "reloads", (int64_t)server->reloads);
    logfmt_number(&line, "failed_reloads", (int64_t)server->failed_reloads);
    logfmt_number(&line, "users_seen", (int64_t)accounts_seen_count(server->accounts));
    logfmt_number(&line, "users_denied",
                  (int64_t)accounts_denied_at(server->accounts, moment_seconds(now)));
    if (accounts_unshared_count(server->accounts) > 0)
        logfmt_number(&line, "denials_unshared",
                      (int64_t)accounts_unshared_count(server->accounts));
    end(&line, output);
}

static void write_connections(const struct server *server, struct evbuffer *output)
{
    struct logfmt line;

    begin(&line, "connections");
    logfmt_number(&line, "open", (int64_t)server->connection_count);
    logfmt_number(&line, "max", server->config->server->max_connections);
    logfmt_number(&line, "accepted", (int64_t)server->accepted);
    logfmt_number(&line, "refused", (int64_t)server->refused);
    end(&line, output);
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
    end(&line, output);
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
        end(&line, output);
    }
}

/* Hosts whose minters' clocks are known to be off: a few at a time, or all is lost anyway. */
static void write_clocks(const struct tally *tally, struct evbuffer *output)
{
    size_t left = 20;

    for (size_t i = 0; i < tally->host_count && left > 0; i++) {
        const struct tally_clock *clock = &tally->hosts[i]->clock;
        char text[TIMESTAMP_SIZE];
        struct logfmt line;

        if (clock->confirmed_at == 0)
            continue;
        left--;
        begin(&line, "clock");
        logfmt_text(&line, "host", tally->hosts[i]->name);
        logfmt_number(&line, "offset_s", clock->confirmed);
        logfmt_text(&line, "confirmed", timestamp_format(clock->confirmed_at, text));
        end(&line, output);
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
    end(&line, output);
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
}
