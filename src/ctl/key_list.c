#include "ctl/key_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/logfmt.h"
#include "base/logfmt_line.h"
#include "base/number.h"
#include "base/timestamp.h"

enum { NAME_SIZE = 256 };

static int64_t time_in(const char *line, const char *name, int64_t none)
{
    char text[TIMESTAMP_SIZE];
    int64_t seconds = none;

    if (!logfmt_line_value(line, name, text, sizeof(text)) || timestamp_parse(text, &seconds) != 0)
        return none;
    return seconds;
}

static void take_uses(const char *line, struct key_view *key)
{
    char text[32];
    int64_t uses = 0;

    if (logfmt_line_value(line, "uses", text, sizeof(text)) &&
        number_parse(text, strlen(text), &uses) == 0)
        key->uses = (uint64_t)uses;
    key->since = time_in(line, "since", 0);
    key->last_use = time_in(line, "last_use", 0);
    key->last_genuine = time_in(line, "last_genuine", 0);
    key->loaded = true;
}

/* A host as the daemon's lines spell it: what is not ASCII is \xNN there. */
struct spelling {
    char text[LOGFMT_LINE_MAX];
};

static struct spelling spelling_of(const char *host)
{
    struct logfmt line = {.length = 0};
    struct spelling spelling = {.text = ""};

    logfmt_text(&line, "host", host);
    if (!logfmt_line_value(line.text, "host", spelling.text, sizeof(spelling.text)))
        spelling.text[0] = '\0';
    return spelling;
}

static bool is_about(const char *line, const struct spelling *host)
{
    struct spelling text;

    return logfmt_line_value(line, "what", text.text, sizeof(text.text)) &&
           strcmp(text.text, "key") == 0 &&
           logfmt_line_value(line, "host", text.text, sizeof(text.text)) &&
           strcmp(text.text, host->text) == 0;
}

static struct key_view *find_key(struct key_list *list, const char *fingerprint)
{
    for (size_t i = 0; i < list->count; i++) {
        if (!list->keys[i].loaded && strcmp(list->keys[i].fingerprint.text, fingerprint) == 0)
            return &list->keys[i];
    }
    return NULL;
}

/* One that the file has no more. name has NAME_SIZE bytes and stays with the list. */
static void add_removed(struct key_list *list, const char *line, const char *fingerprint,
                        char *name)
{
    struct key_view *key = &list->keys[list->count++];

    *key = (struct key_view){.name = name};
    memcpy(key->fingerprint.text, fingerprint, sizeof(key->fingerprint.text));
    if (!logfmt_line_value(line, "key", name, NAME_SIZE))
        name[0] = '\0';
    key->accept_from = time_in(line, "accept_from", INT64_MIN);
    key->accept_until = time_in(line, "accept_until", INT64_MAX);
    take_uses(line, key);
}

static void take_line(struct key_list *list, const struct spelling *spelling, const char *line,
                      char *name)
{
    char fingerprint[KEY_FINGERPRINT_LENGTH + 1];
    struct key_view *key;

    if (!is_about(line, spelling) ||
        !logfmt_line_value(line, "fingerprint", fingerprint, sizeof(fingerprint)) ||
        strlen(fingerprint) != KEY_FINGERPRINT_LENGTH)
        return;
    key = find_key(list, fingerprint);
    if (key != NULL)
        take_uses(line, key);
    else
        add_removed(list, line, fingerprint, name);
}

static size_t count_lines(const char *text)
{
    size_t count = 1;

    for (; text != NULL && *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

static void take_host(struct key_list *list, const struct host *host)
{
    for (size_t i = 0; i < host->key_count; i++)
        list->keys[list->count++] = (struct key_view){
            .name = host->key_names[i],
            .fingerprint = host->key_fingerprints[i],
            .accept_from = host->key_values[i]->accept_from,
            .accept_until = host->key_values[i]->accept_until,
            .in_file = true,
        };
}

int key_list_make(struct key_list *list, const struct host *host, const char *answer)
{
    struct spelling spelling = spelling_of(host->name);
    size_t lines = count_lines(answer);

    *list = (struct key_list){.keys = calloc(host->key_count + lines, sizeof(*list->keys)),
                              .names = calloc(lines, NAME_SIZE)};
    if (list->keys == NULL || list->names == NULL) {
        key_list_clear(list);
        return -1;
    }
    take_host(list, host);
    for (size_t i = 0; answer != NULL && *answer != '\0'; i++) {
        const char *end = strchr(answer, '\n');

        take_line(list, &spelling, answer, list->names + i * NAME_SIZE);
        answer = end == NULL ? "" : end + 1;
    }
    return 0;
}

void key_list_clear(struct key_list *list)
{
    free(list->keys);
    free(list->names);
    *list = (struct key_list){0};
}
