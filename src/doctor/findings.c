#include "doctor/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 4096 };

const struct finding_type finding_types[FINDING_ID_COUNT] = {
    [FINDING_COULD_NOT_JUDGE] = {"could-not-judge", FINDING_UNJUDGED},
    [FINDING_DAEMON_CONFIGURATION] = {"daemon-configuration", FINDING_ERROR},
    [FINDING_DAEMON_AWAY] = {"daemon-away", FINDING_ERROR},
    [FINDING_DAEMON_DIFFERS] = {"daemon-differs", FINDING_ERROR},
    [FINDING_CLOCK] = {"clock", FINDING_WARNING},
    [FINDING_SERVER_CONFIGURATION] = {"server-configuration", FINDING_ERROR},
    [FINDING_DUPLICATE_SETTING] = {"duplicate-setting", FINDING_ERROR},
    [FINDING_AUTH_METHOD] = {"auth-method", FINDING_ERROR},
    [FINDING_OTHER_METHODS] = {"other-methods", FINDING_WARNING},
    [FINDING_AUTH_CACHE] = {"auth-cache", FINDING_ERROR},
    [FINDING_STANZA_SIZE] = {"stanza-size", FINDING_ERROR},
    [FINDING_OPEN_DOOR] = {"open-door", FINDING_WARNING},
    [FINDING_MECHANISMS] = {"mechanisms", FINDING_ERROR},
    [FINDING_ENCRYPTION] = {"encryption", FINDING_ERROR},
    [FINDING_POOL_SIZE] = {"pool-size", FINDING_WARNING},
    [FINDING_RELAY_PROGRAM] = {"relay-program", FINDING_ERROR},
    [FINDING_SOCKET_PATH] = {"socket-path", FINDING_ERROR},
    [FINDING_SOCKET_ACCESS] = {"socket-access", FINDING_ERROR},
    [FINDING_SERVER_NOT_RESTARTED] = {"server-not-restarted", FINDING_ERROR},
    [FINDING_MODULE_MISSING] = {"module-missing", FINDING_ERROR},
    [FINDING_TERMINAL_ROUTE] = {"terminal-route", FINDING_WARNING},
    [FINDING_HOST_NOT_SERVED] = {"host-not-served", FINDING_ERROR},
    [FINDING_HOST_NOT_ASKED] = {"host-not-asked", FINDING_WARNING},
    [FINDING_ROUND_TRIP] = {"round-trip", FINDING_ERROR},
    [FINDING_MINTER_AWAY] = {"minter-away", FINDING_ERROR},
    [FINDING_MINTER_UNENCRYPTED] = {"minter-unencrypted", FINDING_ERROR},
    [FINDING_MINTER_REDIRECT] = {"minter-redirect", FINDING_ERROR},
    [FINDING_MINTER_NO_401] = {"minter-no-401", FINDING_ERROR},
    [FINDING_MINTER_OPEN] = {"minter-open", FINDING_ERROR},
    [FINDING_MINTER_REFUSES] = {"minter-refuses", FINDING_ERROR},
    [FINDING_MINTER_CACHEABLE] = {"minter-cacheable", FINDING_ERROR},
    [FINDING_MINTER_CROSS_ORIGIN] = {"minter-cross-origin", FINDING_ERROR},
    [FINDING_MINTER_SHAPE] = {"minter-shape", FINDING_ERROR},
    [FINDING_MINTER_JID] = {"minter-jid", FINDING_ERROR},
    [FINDING_MINTER_SAME_TOKEN] = {"minter-same-token", FINDING_ERROR},
    [FINDING_MINTER_TOKEN] = {"minter-token", FINDING_ERROR},
    [FINDING_MINTER_CLOCK] = {"minter-clock", FINDING_ERROR},
};

void findings_clear(struct findings *findings)
{
    arena_clear(&findings->arena);
    *findings = (struct findings){.first = NULL};
}

__attribute__((format(printf, 2, 0))) static const char *
format_text(struct findings *findings, const char *format, va_list values)
{
    char text[TEXT_SIZE];
    const char *copy;

    vsnprintf(text, sizeof(text), format, values);
    copy = arena_copy(&findings->arena, text, strlen(text));
    if (copy == NULL)
        findings->memory_is_short = true;
    return copy == NULL ? "" : copy;
}

const char *findings_text(struct findings *findings, const char *format, ...)
{
    va_list values;
    const char *text;

    va_start(values, format);
    text = format_text(findings, format, values);
    va_end(values);
    return text;
}

static bool is_known(const struct findings *findings, const struct finding *finding)
{
    for (const struct finding *other = findings->first; other != NULL; other = other->next) {
        if (other->id == finding->id && other->line == finding->line &&
            (other->file == NULL) == (finding->file == NULL) &&
            (other->file == NULL || strcmp(other->file, finding->file) == 0) &&
            strcmp(other->text, finding->text) == 0)
            return true;
    }
    return false;
}

void findings_add(struct findings *findings, enum finding_id id, const struct place *place,
                  const char *mend, const char *format, ...)
{
    struct finding *finding = arena_alloc(&findings->arena, sizeof(*finding));
    va_list values;

    if (finding == NULL) {
        findings->memory_is_short = true;
        return;
    }
    *finding = (struct finding){.id = id, .mend = mend};
    if (place != NULL) {
        finding->file = place->file;
        finding->line = place->line;
    }
    va_start(values, format);
    finding->text = format_text(findings, format, values);
    va_end(values);
    if (is_known(findings, finding))
        return;
    if (findings->last == NULL)
        findings->first = finding;
    else
        findings->last->next = finding;
    findings->last = finding;
}

static bool is_same_edit(const struct edit *one, const struct edit *other)
{
    return one->insert == other->insert && one->place.line == other->place.line &&
           one->place.column == other->place.column &&
           strcmp(one->place.file, other->place.file) == 0 && strcmp(one->text, other->text) == 0;
}

static void add_edit(struct findings *findings, const struct edit *wanted)
{
    struct edit *edit;

    for (edit = findings->edits; edit != NULL; edit = edit->next) {
        if (is_same_edit(edit, wanted))
            return;
    }
    edit = arena_alloc(&findings->arena, sizeof(*edit));
    if (edit == NULL) {
        findings->memory_is_short = true;
        return;
    }
    *edit = *wanted;
    if (findings->last_edit == NULL)
        findings->edits = edit;
    else
        findings->last_edit->next = edit;
    findings->last_edit = edit;
}

void findings_replace(struct findings *findings, const struct place *place, const char *text)
{
    const struct edit edit = {.place = *place, .text = text};

    if (place->file != NULL && place->line > 0 && place->end_line == place->line &&
        place->end_column >= place->column)
        add_edit(findings, &edit);
}

void findings_insert(struct findings *findings, const char *file, int line, const char *lines)
{
    const struct edit edit = {.place = {.file = file, .line = line}, .insert = true, .text = lines};

    add_edit(findings, &edit);
}

bool findings_have(const struct findings *findings, enum finding_id id)
{
    for (const struct finding *finding = findings->first; finding != NULL;
         finding = finding->next) {
        if (finding->id == id)
            return true;
    }
    return false;
}
