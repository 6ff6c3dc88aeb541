#include "doctor/prosody_config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor/lua_cage.h"
#include "doctor/lua_files.h"
#include "doctor/lua_inside.h"
#include "doctor/lua_records.h"
#include "doctor/lua_talk.h"

enum { SECONDS_MAX = 10, PROBLEM_LINES_MAX = 1 << 24 };

/* What a run has come to. */
struct reader {
    struct findings *findings;
    struct prosody_config *config;
    struct lua_files files;
    struct lua_talk talk;
    bool is_done; /* the other side has said how it ended */
};

/* The last files that were read. */
static int send_files(const struct reader *reader, int count)
{
    if (lua_talk_send_number(&reader->talk, (uint32_t)count) != 0)
        return -1;
    for (size_t i = reader->files.count - (size_t)(count > 0 ? count : 0); i < reader->files.count;
         i++) {
        const struct lua_file *file = &reader->files.files[i];

        if (lua_talk_send_number(&reader->talk, (uint32_t)i) != 0 ||
            lua_talk_send_number(&reader->talk, (uint32_t)file->size) != 0 ||
            lua_talk_send(&reader->talk, file->text, file->size) != 0)
            return -1;
    }
    return 0;
}

static struct place take_place(struct reader *reader)
{
    uint32_t file = lua_talk_number(&reader->talk);
    uint32_t line = lua_talk_number(&reader->talk);

    if (file >= reader->files.count || line > PROBLEM_LINES_MAX) {
        reader->talk.is_bad = true;
        return (struct place){.file = reader->config->path};
    }
    return (struct place){
        .file = reader->files.files[file].path, .line = (int)line, .end_line = (int)line};
}

static struct node *take_value(struct reader *reader, const struct place *place, int depth);

/* Lua's lists are maps from 1 on: what has a number as its key is listed, the rest too where it
 * says yes (`{ PLAIN = true }` is a set to Prosody). */
/* NOLINTNEXTLINE(misc-no-recursion): down to VALUE_DEPTH_MAX. */
static void take_table(struct reader *reader, struct node *list, const struct place *place,
                       int depth)
{
    uint32_t count = lua_talk_number(&reader->talk);

    for (uint32_t i = 0; i < count && !reader->talk.is_bad; i++) {
        struct node *key = take_value(reader, place, depth + 1);
        struct node *value = take_value(reader, place, depth + 1);

        if (key == NULL || value == NULL || reader->talk.is_bad)
            return;
        if (key->kind == NODE_TEXT && key->quoted)
            value = node_is(value, "true") ? key : NULL;
        if (value != NULL)
            node_append(list, value);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): down to VALUE_DEPTH_MAX. */
static struct node *take_value(struct reader *reader, const struct place *place, int depth)
{
    char letter = lua_talk_letter(&reader->talk);
    struct node *node = node_create(&reader->findings->arena,
                                    letter == 't'   ? NODE_LIST
                                    : letter == 'u' ? NODE_UNKNOWN
                                                    : NODE_TEXT,
                                    *place);

    if (node == NULL || depth > VALUE_DEPTH_MAX || strchr("snbtu", letter) == NULL) {
        reader->talk.is_bad = true;
        return NULL;
    }
    if (letter == 't')
        take_table(reader, node, place, depth);
    else if (letter == 'b')
        node->text = lua_talk_letter(&reader->talk) != 0 ? "true" : "false";
    else if (letter != 'u')
        node->text = lua_talk_text(&reader->talk);
    node->quoted = letter == 's';
    return node;
}

/* --- records */

static struct prosody_host *find_host(const struct reader *reader, const char *name)
{
    struct prosody_host *host = reader->config->hosts;

    if (name[0] == '\0')
        return host;
    for (host = host->next; host != NULL && strcmp(host->name, name) != 0; host = host->next)
        continue;
    return host;
}

static struct prosody_host *add_host(struct reader *reader, const char *name, struct place place)
{
    struct prosody_host *host = arena_alloc(&reader->findings->arena, sizeof(*host));
    struct prosody_host **end = &reader->config->hosts;

    if (host == NULL)
        return NULL;
    host->name = name;
    host->place = place;
    host->settings = node_create(&reader->findings->arena, NODE_MAP, place);
    while (*end != NULL)
        end = &(*end)->next;
    *end = host;
    return host->settings == NULL ? NULL : host;
}

static int on_host(struct reader *reader)
{
    struct place place = take_place(reader);
    char kind = lua_talk_letter(&reader->talk);
    const char *name = lua_talk_text(&reader->talk);
    struct prosody_host *host;

    if (reader->talk.is_bad || name[0] == '\0')
        return -1;
    host = find_host(reader, name);
    if (host == NULL)
        host = add_host(reader, name, place);
    if (host != NULL)
        host->component = kind == 'c';
    return host == NULL ? -1 : 0;
}

static int on_setting(struct reader *reader)
{
    struct place place = take_place(reader);
    struct prosody_host *host = find_host(reader, lua_talk_text(&reader->talk));
    const char *name = lua_talk_text(&reader->talk);
    struct node *value = take_value(reader, &place, 0);
    struct node *key = node_create(&reader->findings->arena, NODE_TEXT, place);

    if (reader->talk.is_bad || host == NULL || value == NULL || key == NULL)
        return -1;
    key->text = name;
    value->key = key;
    node_append(host->settings, value);
    return 0;
}

static int on_include(struct reader *reader)
{
    uint32_t from = 0;
    struct place place;
    const char *pattern;
    int count;

    place = take_place(reader);
    while (from < reader->files.count && reader->files.files[from].path != place.file)
        from++;
    pattern = lua_talk_text(&reader->talk);
    if (reader->talk.is_bad)
        return -1;
    count = lua_files_include(&reader->files, from, pattern);
    if (count < 0)
        findings_add(reader->findings, FINDING_SERVER_CONFIGURATION, &place,
                     "correct the name, or take the line out", "%s %s: Prosody does not start",
                     reader->files.failed_path, reader->files.why);
    return send_files(reader, count);
}

static int on_unknown(struct reader *reader)
{
    struct place place = take_place(reader);

    if (!reader->talk.is_bad)
        findings_add(reader->findings, FINDING_COULD_NOT_JUDGE, &place, "look at it yourself",
                     "this line runs code, or asks the environment, as only Prosody can: what "
                     "depends on it is not known here");
    return reader->talk.is_bad ? -1 : 0;
}

static int on_error(struct reader *reader)
{
    struct place place = take_place(reader);
    char failure = lua_talk_letter(&reader->talk);

    if (reader->talk.is_bad)
        return -1;
    reader->is_done = true;
    if (failure == LUA_FAILED_SYNTAX || failure == LUA_FAILED_BYTECODE)
        findings_add(reader->findings, FINDING_SERVER_CONFIGURATION, &place,
                     "prosodyctl check config", "this is no Lua that Prosody starts with%s",
                     failure == LUA_FAILED_BYTECODE ? ": it is compiled" : "");
    else if (failure != LUA_FAILED_INCLUDE)
        findings_add(reader->findings, FINDING_COULD_NOT_JUDGE, &place, "prosodyctl check config",
                     "the file was not run to its end: here it %s",
                     failure == LUA_FAILED_MEMORY ? "takes too much memory"
                     : failure == LUA_FAILED_TIME ? "takes too long"
                                                  : "fails, without Prosody's own code at hand");
    return -1;
}

static int on_record(struct reader *reader)
{
    switch (lua_talk_letter(&reader->talk)) {
    case 'S':
        return on_setting(reader);
    case 'H':
        return on_host(reader);
    case 'I':
        return on_include(reader);
    case 'U':
        return on_unknown(reader);
    case 'E':
        return on_error(reader);
    case 'D':
        reader->is_done = true;
        return 0;
    default:
        return -1;
    }
}

static int read_records(struct reader *reader)
{
    while (!reader->is_done) {
        if (lua_talk_receive(&reader->talk) != 0 || on_record(reader) != 0)
            return -1;
    }
    return 0;
}

static int run(struct reader *reader)
{
    const struct place itself = {.file = reader->config->path};
    pid_t process = lua_cage_start(lua_inside, &reader->talk.socket);
    int result;

    if (process < 0) {
        reader->findings->memory_is_short = true;
        return -1;
    }
    lua_talk_begin(&reader->talk, SECONDS_MAX);
    result = send_files(reader, 1) == 0 ? read_records(reader) : -1;
    close(reader->talk.socket);
    lua_cage_end(process);
    if (!reader->is_done && !findings_have(reader->findings, FINDING_SERVER_CONFIGURATION))
        findings_add(reader->findings, FINDING_COULD_NOT_JUDGE, &itself, "prosodyctl check config",
                     "the file was not run to its end: it takes more time or memory than any "
                     "configuration does");
    return result;
}

int prosody_config_read(struct prosody_config *config_r, struct findings *findings,
                        const char *path)
{
    struct prosody_config config = {.path = path};
    struct reader reader = {.findings = findings,
                            .config = &config,
                            .files = {.arena = &findings->arena},
                            .talk = {.arena = &findings->arena}};
    char resolved[PATH_MAX];
    int result = -1;

    /* Whole, for what it includes is relative to it. */
    if (realpath(path, resolved) != NULL)
        path = resolved;
    config.path = arena_copy(&findings->arena, path, strlen(path));
    reader.talk.record = malloc(RECORD_MAX);
    if (config.path == NULL || reader.talk.record == NULL ||
        add_host(&reader, NULL, (struct place){.file = config.path}) == NULL) {
        findings->memory_is_short = true;
    } else if (lua_files_read(&reader.files, config.path) != 0) {
        const struct place itself = {.file = config.path};

        findings_add(findings, FINDING_SERVER_CONFIGURATION, &itself,
                     "name the file that the server reads", "%s: %s", config.path,
                     reader.files.why);
    } else {
        result = run(&reader);
    }
    free(reader.talk.record);
    *config_r = config;
    return result;
}

const struct node *prosody_config_setting(const struct prosody_config *config,
                                          const struct prosody_host *host, const char *name)
{
    const struct node *own = node_find(host->settings, name);

    return own != NULL ? own : node_find(config->hosts->settings, name);
}
