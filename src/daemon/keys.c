#include "daemon/keys.h"

#include "base/logfmt.h"
#include "base/timestamp.h"
#include "daemon/answer_line.h"

static void add_time(struct logfmt *line, const char *name, int64_t seconds, int64_t none)
{
    char text[TIMESTAMP_SIZE];

    if (seconds != none)
        logfmt_text(line, name, timestamp_format(seconds, text));
}

static void write_key(const struct host *host, size_t at, const struct tally_key *counted,
                      struct evbuffer *output)
{
    struct logfmt line = {.length = 0};

    logfmt_text(&line, "what", "key");
    logfmt_text(&line, "fingerprint", host->key_fingerprints[at].text);
    logfmt_text(&line, "host", host->name);
    logfmt_text(&line, "key", host->key_names[at]);
    add_time(&line, "accept_from", host->key_values[at]->accept_from, INT64_MIN);
    add_time(&line, "accept_until", host->key_values[at]->accept_until, INT64_MAX);
    logfmt_number(&line, "uses", (int64_t)counted->uses);
    add_time(&line, "since", counted->since, 0);
    add_time(&line, "last_use", counted->last_use, 0);
    add_time(&line, "last_genuine", counted->last_genuine, 0);
    answer_line_write(&line, output);
}

static void write_host(const struct server *server, const struct host *host,
                       struct evbuffer *output)
{
    const struct tally_host *row = tally_host_of(&server->authority.tally, host);

    for (size_t i = 0; i < host->key_count; i++)
        write_key(host, i, row->keys[i], output);
}

void keys_write(struct server *server, const struct control_word *operands, size_t count,
                struct evbuffer *output)
{
    const struct config *config = server->config;
    const struct host *host;

    if (count > 0) {
        host = name_table_find(&config->host_table, operands[0].text, operands[0].length);
        if (host == NULL)
            evbuffer_add_printf(output, "error=\"no such host section\"\n");
        else
            write_host(server, host, output);
        return;
    }
    for (size_t i = 0; i < config->host_count; i++)
        write_host(server, &config->hosts[i], output);
}
