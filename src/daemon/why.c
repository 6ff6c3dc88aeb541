#include "daemon/why.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/logfmt.h"
#include "base/timestamp.h"
#include "daemon/answer_line.h"

static void add_time(struct logfmt *line, const char *key, int64_t seconds)
{
    char text[TIMESTAMP_SIZE];

    logfmt_text(line, key, timestamp_format(seconds, text));
}

static void write_user(struct server *server, const struct control_word *jid,
                       const struct tally_host *row, struct evbuffer *output)
{
    struct moment now = server_now(server);
    int64_t opens = authority_opens(&server->authority, now);
    struct logfmt line = {.length = 0};

    logfmt_text(&line, "what", "user");
    logfmt_bytes(&line, "jid", jid->text, jid->length);
    logfmt_text(&line, "section", row == NULL ? NULL : row->rest->name);
    logfmt_text(&line, "denied",
                accounts_is_denied(server->accounts, jid->text, jid->length, moment_seconds(now))
                    ? "yes"
                    : "no");
    if (opens != 0)
        add_time(&line, "opens", opens);
    if (row != NULL && row->rest->clock.confirmed_at != 0)
        logfmt_number(&line, "clock_offset_s", row->rest->clock.confirmed);
    answer_line_write(&line, output);
}

/* The key's name today; NULL where the section has it no more. */
static const struct tally_key *key_of(const struct tally_host *row, uint64_t id)
{
    for (size_t i = 0; row != NULL && i < row->key_count; i++) {
        if (row->keys[i]->id == id)
            return row->keys[i];
    }
    return NULL;
}

static void write_record(const struct flight_record *record, const struct tally_host *row,
                         struct evbuffer *output)
{
    const struct tally_key *key = key_of(row, record->key);
    struct logfmt line = {.length = 0};
    char fingerprint[17];

    logfmt_text(&line, "what", "verdict");
    add_time(&line, "last", record->last);
    logfmt_text(&line, "reason", reason_word((enum reason)record->reason));
    logfmt_text(&line, "question", verdict_question_word((enum question_kind)record->question));
    logfmt_number(&line, "times", record->times);
    add_time(&line, "first", record->first);
    if (record->clock_offset != 0)
        logfmt_number(&line, "clock_offset_s", record->clock_offset);
    if (record->key != 0) {
        snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, record->key);
        logfmt_text(&line, "fingerprint", fingerprint);
        logfmt_text(&line, "key", key == NULL ? "(removed)" : key->name);
    }
    answer_line_write(&line, output);
}

void why_write(struct server *server, const struct control_word *words, size_t count,
               struct evbuffer *output)
{
    const struct flight_recorder *recorder = &server->authority.book.recorder;
    struct flight_record records[RECORDER_READ_MAX];
    const char *at = memchr(words[0].text, '@', words[0].length);
    const struct tally_host *row;
    size_t found;

    (void)count;
    if (!users_takes_jid(&words[0], output))
        return;
    row = tally_host_of(
        &server->authority.tally,
        config_host(server->config, at + 1, (size_t)(words[0].text + words[0].length - at - 1)));
    write_user(server, &words[0], row, output);
    found = flight_recorder_read(
        recorder, flight_recorder_user(recorder, words[0].text, words[0].length), records);
    for (size_t i = 0; i < found; i++)
        write_record(&records[i], row, output);
}
