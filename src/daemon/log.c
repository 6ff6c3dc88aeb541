#include "daemon/log.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/timestamp.h"

static struct {
    enum log_level level;
    bool to_journal;
    bool is_socket;
    bool may_block; /* a pipe or a terminal: look for room first */
    int64_t lost;
} state = {.level = LOG_LEVEL_INFO};

static const char *const level_words[] = {"error", "warning", "info", "debug"};

/* systemd.exec(5): JOURNAL_STREAM names the device and inode of the stream that the journal reads.
 */
static bool is_journal(const struct stat *status)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char own[48];

    snprintf(own, sizeof(own), "%llu:%llu", (unsigned long long)status->st_dev,
             (unsigned long long)status->st_ino);
    return stream != NULL && strcmp(stream, own) == 0;
}

void log_init(void)
{
    struct stat status;

    if (fstat(STDERR_FILENO, &status) != 0)
        return;
    state.to_journal = is_journal(&status);
    state.is_socket = S_ISSOCK(status.st_mode);
    state.may_block = S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode);
}

void log_set_level(enum log_level level)
{
    state.level = level;
}

int log_wants(enum log_level level)
{
    return level <= state.level;
}

void log_begin(struct log_line *line, enum log_level level, const char *event)
{
    char time_text[TIMESTAMP_SIZE];

    line->fields.length = 0;
    if (!log_wants(level))
        return;
    if (!state.to_journal)
        logfmt_text(&line->fields, "time", timestamp_format(time(NULL), time_text));
    logfmt_text(&line->fields, "level", level_words[level]);
    logfmt_text(&line->fields, "event", event);
}

/* One write, or none: half a line would garble the next. */
static bool write_line(const char *text, size_t length)
{
    ssize_t written;

    if (state.may_block) {
        struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};

        int ready;

        do {
            ready = poll(&room, 1, 0);
        } while (ready < 0 && errno == EINTR);
        if (ready != 1 || (room.revents & POLLOUT) == 0)
            return false;
    }
    do {
        written = state.is_socket ? send(STDERR_FILENO, text, length, MSG_DONTWAIT | MSG_NOSIGNAL)
                                  : write(STDERR_FILENO, text, length);
    } while (written < 0 && errno == EINTR);
    return written >= 0;
}

static void write_fields(const struct logfmt *fields, enum log_level level)
{
    static const char journal_levels[] = {'3', '4', '6', '7'};
    char text[LOGFMT_LINE_MAX + 8];
    size_t length = 0;

    if (state.to_journal) {
        text[length++] = '<';
        text[length++] = journal_levels[level];
        text[length++] = '>';
    }
    memcpy(text + length, fields->text, fields->length);
    length += fields->length;
    text[length++] = '\n';
    if (!write_line(text, length))
        state.lost++;
}

void log_end(struct log_line *line, enum log_level level)
{
    if (!log_wants(level))
        return;
    if (state.lost > 0) {
        struct log_line about;
        int64_t lost = state.lost;

        state.lost = 0;
        log_begin(&about, LOG_LEVEL_WARNING, "log-lines-lost");
        logfmt_number(&about.fields, "lines", lost);
        write_fields(&about.fields, LOG_LEVEL_WARNING);
        if (state.lost > 0)
            state.lost += lost;
    }
    write_fields(&line->fields, level);
}

void log_event(enum log_level level, const char *event)
{
    log_event_text(level, event, NULL, NULL);
}

void log_event_text(enum log_level level, const char *event, const char *key, const char *value)
{
    struct log_line line;

    log_begin(&line, level, event);
    if (key != NULL)
        logfmt_text(&line.fields, key, value);
    log_end(&line, level);
}
