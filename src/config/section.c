#include "config/section.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "config/ini.h"
#include "config/value.h"

struct parser {
    struct section_list *list;
    struct section **tail;
    struct section *current; /* NULL: in a section whose settings are passed over */
    bool before_first;       /* no header was read yet */
    struct arena *arena;
    struct problems *problems;
    struct name_table by_header;
};

static const char blanks[] = " \t";

/* A mistyped name may be a secret in the wrong place: only what looks like one of our names is repeated. */
static bool is_printable_name(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length <= 24 && strspn(name, "abcdefghijklmnopqrstuvwxyz_") == length;
}

/* The known name that was meant, whatever its case; no secret is near enough to one for a hint to tell anything of it. */
static const char *meant_name(const char *name, const char *const *candidates, size_t count)
{
    char lower[32];
    size_t length = 0;

    for (; length < sizeof(lower) - 1 && name[length] != '\0'; length++) {
        bool is_upper = name[length] >= 'A' && name[length] <= 'Z';

        lower[length] = (char)(is_upper ? name[length] - 'A' + 'a' : name[length]);
    }
    lower[length] = '\0';
    return name[length] == '\0' ? nearest_name(lower, candidates, count) : NULL;
}

static void unknown_name(struct parser *parser, int line, const char *what, const char *name,
                         const char *const *candidates, size_t count)
{
    const char *meant = meant_name(name, candidates, count);

    problems_error(parser->problems, parser->list->path, line, "unknown %s%s%s%s%s%s", what,
                   is_printable_name(name) ? " " : "", is_printable_name(name) ? name : "",
                   meant == NULL ? "" : "; did you mean ", meant == NULL ? "" : meant,
                   meant == NULL ? "" : "?");
}

static void unknown_section(struct parser *parser, int line, const char *word)
{
    const char *words[SECTION_KIND_COUNT];

    for (size_t i = 0; i < SECTION_KIND_COUNT; i++)
        words[i] = section_types[i].word;
    unknown_name(parser, line, "section", word, words, SECTION_KIND_COUNT);
}

static void unknown_setting(struct parser *parser, int line, const char *name)
{
    const char *names[SECTION_SETTINGS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].section == parser->current->kind)
            names[count++] = settings[i].name;
        else if (strcmp(settings[i].name, name) == 0 &&
                 setting_find(parser->current->kind, name) == NULL) {
            problems_error(parser->problems, parser->list->path, line,
                           "setting %s belongs into a [%s] section", name,
                           section_types[settings[i].section].word);
            return;
        }
    }
    unknown_name(parser, line, "setting", name, names, count);
}

static struct section *add_section(struct parser *parser, enum section_kind kind, int line)
{
    struct section *section = arena_alloc(parser->arena, sizeof(*section));
    const char *complaint = NULL;

    if (section != NULL)
        section->values = arena_alloc(parser->arena, section_types[kind].values_size);
    if (section == NULL || section->values == NULL) {
        problems_error(parser->problems, parser->list->path, line, "memory is short");
        return NULL;
    }
    section->kind = kind;
    section->line = line;
    for (size_t i = 0; i < setting_count && complaint == NULL; i++) {
        if (settings[i].section == kind)
            complaint = value_set_default(&settings[i], parser->arena, section->values);
    }
    if (complaint != NULL)
        problems_error(parser->problems, parser->list->path, line, "%s", complaint);
    *parser->tail = section;
    parser->tail = &section->next;
    return section;
}

/* Splits WORD NAME NAME; how many names there are, or 3 for too many. */
static size_t split_header(char *header, const char *names[2])
{
    size_t count = 0;

    header += strcspn(header, blanks);
    while (*header != '\0') {
        *header++ = '\0';
        header += strspn(header, blanks);
        if (*header == '\0' || count == 2)
            return *header == '\0' ? count : 3;
        names[count++] = header;
        header += strcspn(header, blanks);
    }
    return count;
}

static void begin_section(struct parser *parser, enum section_kind kind, const char *header,
                          const char *const names[2], int line)
{
    struct section *earlier = name_table_find(&parser->by_header, header, strlen(header));
    const struct section_type *type = &section_types[kind];

    if (earlier != NULL && earlier->line != 0) {
        problems_error(parser->problems, parser->list->path, line,
                       "this section is there already, in line %d", earlier->line);
        return;
    }
    if (earlier == NULL) {
        earlier = add_section(parser, kind, line);
        if (earlier != NULL &&
            name_table_add(&parser->by_header, header, strlen(header), earlier) != 0)
            problems_error(parser->problems, parser->list->path, line, "memory is short");
    }
    if (earlier == NULL)
        return;
    earlier->line = line;
    for (size_t i = 0; i < 2 && i < type->names; i++)
        earlier->names[i] = names[i];
    parser->current = earlier;
}

/* One blank between word and names, so that equal sections have equal headers. */
static char *normal_header(struct arena *arena, const char *name)
{
    char *copy = arena_copy(arena, name, strlen(name));
    char *to = copy;

    if (copy == NULL)
        return NULL;
    for (const char *from = copy; *from != '\0'; from++) {
        if (strchr(blanks, *from) == NULL)
            *to++ = *from;
        else if (to > copy && to[-1] != ' ')
            *to++ = ' ';
    }
    *to = '\0';
    return copy;
}

static void take_section(void *context, const char *name, int line)
{
    struct parser *parser = context;
    char *header = normal_header(parser->arena, name);
    char *copy = header == NULL ? NULL : arena_copy(parser->arena, header, strlen(header));
    const char *names[2] = {NULL, NULL};
    size_t count;

    parser->before_first = false;
    parser->current = NULL;
    if (copy == NULL) {
        problems_error(parser->problems, parser->list->path, line, "memory is short");
        return;
    }
    count = split_header(copy, names);
    for (size_t kind = 0; kind < SECTION_KIND_COUNT; kind++) {
        const struct section_type *type = &section_types[kind];

        if (strcmp(copy, type->word) != 0)
            continue;
        if (count == type->names)
            begin_section(parser, (enum section_kind)kind, header, names, line);
        else
            problems_error(parser->problems, parser->list->path, line,
                           "this section's header is written %s", type->form);
        return;
    }
    unknown_section(parser, line, copy);
}

static void set(struct parser *parser, const struct setting *setting, const char *value, int line)
{
    int *known_line = &parser->current->lines[setting_place(setting)];
    const char *complaint;

    if (*known_line != 0) {
        problems_error(parser->problems, parser->list->path, line, "%s is set already, in line %d",
                       setting->name, *known_line);
        return;
    }
    *known_line = line;
    if (value[0] == '"' || value[0] == '\'')
        complaint = "takes its value without quotes";
    else
        complaint = value_parse(setting, value, parser->arena, parser->current->values);
    if (complaint != NULL)
        problems_error(parser->problems, parser->list->path, line, "%s %s", setting->name,
                       complaint);
}

static void take_setting(void *context, const char *name, const char *value, bool continued,
                         int line)
{
    struct parser *parser = context;
    const struct setting *setting;

    (void)continued; /* the strict manner lets no such line through */
    if (parser->before_first)
        problems_error(parser->problems, parser->list->path, line,
                       "this setting stands before the first section header");
    if (parser->current == NULL)
        return;
    setting = setting_find(parser->current->kind, name);
    if (setting == NULL)
        unknown_setting(parser, line, name);
    else
        set(parser, setting, value, line);
}

/* What is needed whether the file has it or not. */
static void add_single_sections(struct parser *parser)
{
    for (size_t kind = 0; kind < SECTION_KIND_COUNT; kind++) {
        const struct section_type *type = &section_types[kind];
        struct section *section;

        if (type->names != 0)
            continue;
        section = add_section(parser, (enum section_kind)kind, 0);
        if (section != NULL &&
            name_table_add(&parser->by_header, type->word, strlen(type->word), section) != 0)
            problems_error(parser->problems, parser->list->path, 0, "memory is short");
    }
}

void sections_read(struct section_list *list, struct source_file *file, struct arena *arena,
                   struct problems *problems)
{
    static const struct ini_callbacks callbacks = {take_section, take_setting};
    struct parser parser = {.list = list,
                            .tail = &list->first,
                            .before_first = true,
                            .arena = arena,
                            .problems = problems};

    list->path = file->path;
    add_single_sections(&parser);
    ini_read(file, INI_STRICT, problems, &callbacks, &parser);
    list->last_line = file->line;
    name_table_clear(&parser.by_header);
}

bool section_sets(const struct section *section, const char *setting)
{
    return section->lines[setting_place(setting_find(section->kind, setting))] != 0;
}

int section_line_of(const struct section *section, const char *setting)
{
    int line = section->lines[setting_place(setting_find(section->kind, setting))];

    return line == 0 ? section->line : line;
}

struct section *section_single(const struct section_list *list, enum section_kind kind)
{
    struct section *section = list->first;

    while (section != NULL && section->kind != kind)
        section = section->next;
    return section;
}

void sections_clear_secrets(struct section_list *list)
{
    for (struct section *section = list->first; section != NULL; section = section->next) {
        for (size_t i = 0; i < setting_count; i++) {
            void *field = (char *)section->values + settings[i].offset;

            if (settings[i].section != section->kind)
                continue;
            if (settings[i].kind == VALUE_SECRET)
                secret_clear(field);
            if (settings[i].kind == VALUE_STORE)
                secret_clear(&((struct store_rule *)field)->password);
        }
    }
}
