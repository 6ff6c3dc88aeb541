#include "daemon/metrics.h"

#include <stdio.h>
#include <time.h>

#include "daemon/connection.h"
#include "daemon/exposition.h"
#include "daemon/readiness.h"

/* A portion is over when it is so long. */
enum { PORTION = 16 * 1024 };

/* With no more hosts than this, also the verdicts that did not occur yet are written, as 0: a rate
 * is right from the first one on. With more it would be megabytes of zeros. */
enum { HOSTS_WITH_ZEROS = 100 };

struct family {
    const char *name;
    const char *type;
    const char *help;
    void (*write)(struct server *server, const char *name, struct evbuffer *output);
    /* Or, in addition: the samples of one host, by its place in the configuration. */
    void (*write_host)(struct server *server, size_t host, const char *name,
                       struct evbuffer *output);
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void plain(struct evbuffer *output, const char *name, uint64_t value)
{
    exposition_number(output, name, NULL, 0, value);
}

static void write_build(struct server *server, const char *name, struct evbuffer *output)
{
    static const struct label labels[] = {{"version", XMPP_AUTHD_VERSION}};

    (void)server;
    exposition_number(output, name, labels, LENGTH(labels), 1);
}

static void write_started(struct server *server, const char *name, struct evbuffer *output)
{
    plain(output, name, (uint64_t)moment_seconds(server->started));
}

static void write_processor(struct server *server, const char *name, struct evbuffer *output)
{
    struct timespec used = {0};

    (void)server;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    exposition_seconds(output, name, NULL, 0, used.tv_sec, (uint32_t)used.tv_nsec);
}

static void write_ready(struct server *server, const char *name, struct evbuffer *output)
{
    char text[READINESS_TEXT_SIZE];

    plain(output, name, readiness_of(server, text) == READY);
}

/* --- verdicts and keys */

/* The reasons that a question about a served host, or about none, can end in. */
enum { OF_HOST = 1, OF_NO_HOST = 2 };

static const unsigned char auth_reasons[REASON_COUNT] = {
    [REASON_ALLOWED] = OF_HOST,         [REASON_MALFORMED] = OF_HOST | OF_NO_HOST,
    [REASON_FORGED] = OF_HOST,          [REASON_WRONG_OTP] = OF_HOST,
    [REASON_EXPIRED] = OF_HOST,         [REASON_EARLY] = OF_HOST,
    [REASON_KEY_RETIRED] = OF_HOST,     [REASON_REVOKED] = OF_HOST,
    [REASON_STARTING] = OF_HOST,        [REASON_REPLAYED] = OF_HOST,
    [REASON_STORE_ERROR] = OF_HOST,     [REASON_UNSUPPORTED] = OF_NO_HOST,
    [REASON_UNKNOWN_HOST] = OF_NO_HOST,
};

static const unsigned char is_user_reasons[REASON_COUNT] = {
    [REASON_ALLOWED] = OF_HOST,
    [REASON_UNKNOWN_USER] = OF_HOST,
    [REASON_UNKNOWN_HOST] = OF_NO_HOST,
};

static void write_counts(const char *name, const char *question, const char *host,
                         const uint64_t *counts, const unsigned char *zeros, int of,
                         struct evbuffer *output)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        const struct label labels[] = {
            {"question", question}, {"host", host}, {"reason", reason_word((enum reason)i)}};

        if (counts[i] > 0 || (zeros[i] & of) != 0)
            exposition_number(output, name, labels, LENGTH(labels), counts[i]);
    }
}

static void write_no_host(struct server *server, const char *name, struct evbuffer *output)
{
    const struct tally_counts *counts = &server->authority.tally.no_host;

    write_counts(name, "auth", "", counts->auth, auth_reasons, OF_NO_HOST, output);
    write_counts(name, "isuser", "", counts->is_user, is_user_reasons, OF_NO_HOST, output);
}

static void write_host_verdicts(struct server *server, size_t host, const char *name,
                                struct evbuffer *output)
{
    const struct tally *tally = &server->authority.tally;
    const struct tally_host *row = tally->hosts[host];
    const struct tally_counts counts = tally_counts_of(row);
    int zeros = tally->host_count <= HOSTS_WITH_ZEROS ? OF_HOST : 0;

    write_counts(name, "auth", row->rest->name, counts.auth, auth_reasons, zeros, output);
    write_counts(name, "isuser", row->rest->name, counts.is_user, is_user_reasons, zeros, output);
}

enum { KEY_LABELS = 3 };

/* A weak key could be guessed by its fingerprint, and more people read metrics than keys. */
static void label_key(const struct server *server, size_t host, size_t key,
                      struct label labels_r[KEY_LABELS])
{
    const struct tally_host *row = server->authority.tally.hosts[host];
    const struct host *configured = &server->config->hosts[host];
    const struct host_values *values = configured->section->values;

    labels_r[0] = (struct label){"host", row->rest->name};
    labels_r[1] = (struct label){"key", row->keys[key]->name};
    labels_r[2] = (struct label){
        "fingerprint", values->allow_weak_secrets ? "" : configured->key_fingerprints[key].text};
}

static void write_key_uses(struct server *server, size_t host, const char *name,
                           struct evbuffer *output)
{
    const struct tally_host *row = server->authority.tally.hosts[host];
    struct label labels[KEY_LABELS];

    for (size_t i = 0; i < row->key_count; i++) {
        label_key(server, host, i, labels);
        exposition_number(output, name, labels, KEY_LABELS, row->keys[i]->uses);
    }
}

static void write_key_last_use(struct server *server, size_t host, const char *name,
                               struct evbuffer *output)
{
    const struct tally_host *row = server->authority.tally.hosts[host];
    struct label labels[KEY_LABELS];

    for (size_t i = 0; i < row->key_count; i++) {
        label_key(server, host, i, labels);
        if (row->keys[i]->last_use != 0)
            exposition_seconds(output, name, labels, KEY_LABELS, row->keys[i]->last_use, 0);
    }
}

static void write_key_end(struct server *server, size_t host, const char *name,
                          struct evbuffer *output)
{
    const struct host *configured = &server->config->hosts[host];
    struct label labels[KEY_LABELS];

    for (size_t i = 0; i < configured->key_count; i++) {
        label_key(server, host, i, labels);
        if (configured->key_values[i]->accept_until != INT64_MAX)
            exposition_seconds(output, name, labels, KEY_LABELS,
                               configured->key_values[i]->accept_until, 0);
    }
}

static void write_clock_offset(struct server *server, size_t host, const char *name,
                               struct evbuffer *output)
{
    const struct tally_host *row = server->authority.tally.hosts[host];
    const struct label labels[] = {{"host", row->rest->name}};

    exposition_seconds(output, name, labels, LENGTH(labels),
                       row->rest->clock.confirmed_at != 0 ? row->rest->clock.confirmed : 0, 0);
}

/* --- the rest */

static void write_latency(struct server *server, const char *name, struct evbuffer *output)
{
    const struct tally_latency *latency = &server->authority.tally.latency;
    char full_name[128];
    char bound[EXPOSITION_SECONDS_SIZE];
    uint64_t below = 0;

    snprintf(full_name, sizeof(full_name), "%s_bucket", name);
    for (size_t i = 0; i <= TALLY_LATENCY_BOUNDS; i++) {
        const struct label labels[] = {
            {"le", i < TALLY_LATENCY_BOUNDS ? exposition_bound(tally_latency_bounds_ns[i], bound)
                                            : "+Inf"}};

        below += latency->counts[i];
        exposition_number(output, full_name, labels, LENGTH(labels), below);
    }
    snprintf(full_name, sizeof(full_name), "%s_sum", name);
    exposition_seconds(output, full_name, NULL, 0, (int64_t)(latency->sum_ns / 1000000000),
                       (uint32_t)(latency->sum_ns % 1000000000));
    snprintf(full_name, sizeof(full_name), "%s_count", name);
    plain(output, full_name, below);
}

static void write_reloads(struct server *server, const char *name, struct evbuffer *output)
{
    static const struct label taken[] = {{"result", "reloaded"}};
    static const struct label refused[] = {{"result", "refused"}};

    exposition_number(output, name, taken, LENGTH(taken), server->reloads);
    exposition_number(output, name, refused, LENGTH(refused), server->failed_reloads);
}

/* Families of a single number. */
#define WRITE_NUMBER(what, value)                                                                  \
    static void write_##what(struct server *server, const char *name, struct evbuffer *output)     \
    {                                                                                              \
        plain(output, name, (uint64_t)(value));                                                    \
    }

WRITE_NUMBER(hosts, server->config->host_count)
WRITE_NUMBER(connections, server->connection_count)
WRITE_NUMBER(connections_max, server->config->server->max_connections)
WRITE_NUMBER(accepted, server->accepted)
WRITE_NUMBER(refused, server->refused)
WRITE_NUMBER(pending, connections_pending_bytes(server))
WRITE_NUMBER(records, replay_index_usage(server->authority.store->index).tokens)
WRITE_NUMBER(replay_bytes, replay_index_usage(server->authority.store->index).memory)
WRITE_NUMBER(store_failing, server->authority.store->failure != NULL)
WRITE_NUMBER(store_errors, server->authority.store->failures)
WRITE_NUMBER(seen, accounts_seen_count(server->accounts))
WRITE_NUMBER(denied, accounts_denied_at(server->accounts, moment_seconds(server_now(server))))
WRITE_NUMBER(unshared, accounts_unshared_count(server->accounts))
WRITE_NUMBER(users_failing, server->authority.accounts_fail)
WRITE_NUMBER(reload_refused, server->reload_failed)

/* In the order of docs/metrics.md. */
/* clang-format off */
static const struct family families[] = {
    {"xmpp_authd_build_info", "gauge", "Always 1, with the version of the program.", write_build, NULL},
    {"xmpp_authd_ready", "gauge", "1 where a login can be decided, 0 while starting, draining or without the store.", write_ready, NULL},
    {"xmpp_authd_hosts", "gauge", "Hosts in the configuration.", write_hosts, NULL},
    {"xmpp_authd_verdicts_total", "counter", "Answered questions by question, host section and reason.", write_no_host, write_host_verdicts},
    {"xmpp_authd_key_uses_total", "counter", "Logins allowed by each key.", NULL, write_key_uses},
    {"xmpp_authd_key_last_use_timestamp_seconds", "gauge", "When a key last allowed a login.", NULL, write_key_last_use},
    {"xmpp_authd_key_accept_until_timestamp_seconds", "gauge", "When a key with an accept_until ends.", NULL, write_key_end},
    {"xmpp_authd_minter_clock_offset_seconds", "gauge", "How far the clock of the minter of a host is ahead, as tokens of several users show; 0 where it agrees.", NULL, write_clock_offset},
    {"xmpp_authd_decision_duration_seconds", "histogram", "Time from reading a question to having its answer.", write_latency, NULL},
    {"xmpp_authd_connections", "gauge", "Clients connected.", write_connections, NULL},
    {"xmpp_authd_connections_max", "gauge", "Clients that may be connected at a time.", write_connections_max, NULL},
    {"xmpp_authd_connections_accepted_total", "counter", "Clients that connected.", write_accepted, NULL},
    {"xmpp_authd_connections_refused_total", "counter", "Clients that connected and were not taken.", write_refused, NULL},
    {"xmpp_authd_pending_bytes", "gauge", "Unfinished questions and unread answers of all clients.", write_pending, NULL},
    {"xmpp_authd_replay_records", "gauge", "Spent tokens that are remembered.", write_records, NULL},
    {"xmpp_authd_replay_memory_bytes", "gauge", "Memory that they take.", write_replay_bytes, NULL},
    {"xmpp_authd_store_failing", "gauge", "1 while spent tokens can not be recorded.", write_store_failing, NULL},
    {"xmpp_authd_store_errors_total", "counter", "Logins whose token could not be recorded as spent.", write_store_errors, NULL},
    {"xmpp_authd_users_seen", "gauge", "Users who logged in at some time, as far as that is remembered.", write_seen, NULL},
    {"xmpp_authd_users_denied", "gauge", "Users whom the operator has shut out.", write_denied, NULL},
    {"xmpp_authd_denials_unshared", "gauge", "Denials that other daemons do not know of yet.", write_unshared, NULL},
    {"xmpp_authd_users_database_failing", "gauge", "1 while users seen can not be written to the database.", write_users_failing, NULL},
    {"xmpp_authd_reloads_total", "counter", "Reloads by their result.", write_reloads, NULL},
    {"xmpp_authd_last_reload_failed", "gauge", "1 where the configuration file was refused by the last reload.", write_reload_refused, NULL},
    {"process_start_time_seconds", "gauge", "When the daemon started, in seconds since the epoch.", write_started, NULL},
    {"process_cpu_seconds_total", "counter", "Processor time that the daemon has used.", write_processor, NULL},
};
/* clang-format on */

/* Writes what stands at *place and moves on by one host, or by one family. */
static void write_next(struct server *server, struct metrics_place *place, struct evbuffer *output)
{
    const struct family *family = &families[place->family];

    if (!place->in_hosts) {
        exposition_family(output, family->name, family->type, family->help);
        if (family->write != NULL)
            family->write(server, family->name, output);
        place->host = 0;
        place->in_hosts = true;
    }
    if (family->write_host != NULL && place->host < server->config->host_count) {
        family->write_host(server, place->host++, family->name, output);
        return;
    }
    place->in_hosts = false;
    place->family++;
}

bool metrics_write(struct server *server, struct metrics_place *place, struct evbuffer *output)
{
    size_t before = evbuffer_get_length(output);

    while (place->family < LENGTH(families) && evbuffer_get_length(output) - before < PORTION)
        write_next(server, place, output);
    return place->family < LENGTH(families);
}
