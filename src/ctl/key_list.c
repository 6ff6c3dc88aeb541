#include "ctl/key_list.h"

#include <stdlib.h>
#include <string.h>

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

static void take_line(struct key_list *list, const char *line, char *name)
{
    char fingerprint[KEY_FINGERPRINT_LENGTH + 1];
    struct key_view *key;

    if (!logfmt_line_value(line, "fingerprint", fingerprint, sizeof(fingerprint)) ||
        strlen(fingerprint) != KEY_FINGERPRINT_LENGTH)
        return;
    key = find_key(list, fingerprint);
    if (key != NULL)
        take_uses(line, key);
    else
        add_removed(list, line, fingerprint, name);
}

static size_t count_lines(const char *line)
{
    size_t count = 0;

    for (; line != NULL; line = key_answer_next(line))
        count++;
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

int key_list_make(struct key_list *list, const struct host *host, const struct key_answer *answer)
{
    const char *line = key_answer_find(answer, host->name);
    size_t lines = count_lines(line);

    /* One more than needed: nothing is not asked for. */
    *list = (struct key_list){.keys = calloc(host->key_count + lines + 1, sizeof(*list->keys)),
                              .names = calloc(lines + 1, NAME_SIZE)};
    if (list->keys == NULL || list->names == NULL) {
        key_list_clear(list);
        return -1;
    }
    take_host(list, host);
    for (size_t i = 0; line != NULL; i++, line = key_answer_next(line))
        take_line(list, line, list->names + i * NAME_SIZE);
    return 0;
}

void key_list_clear(struct key_list *list)
{
    free(list->keys);
    free(list->names);
    *list = (struct key_list){0};
}
