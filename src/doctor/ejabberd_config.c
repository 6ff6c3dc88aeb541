#include "doctor/ejabberd_config.h"

#include <string.h>

#include "doctor/yaml_file.h"

/* Files within files, macros within macros. */
enum { INCLUDE_DEPTH_MAX = 8, MACRO_DEPTH_MAX = 16, NODES_MAX = 400000 };

struct builder {
    struct findings *findings;
    struct node *settings; /* all files' top level in order */
    struct node *macros;
    size_t nodes;
};

static const char *const repeatable[] = {"include_config_file", "define_macro", "define_keyword",
                                         "host_config", "append_host_config"};

static bool is_repeatable(const char *name)
{
    for (size_t i = 0; i < sizeof(repeatable) / sizeof(repeatable[0]); i++) {
        if (strcmp(name, repeatable[i]) == 0)
            return true;
    }
    return false;
}

static void add_setting(struct builder *builder, const struct node *setting)
{
    struct node *copy = node_copy(&builder->findings->arena, setting);
    const char *name = setting->key->text;
    const struct node *earlier = node_find(builder->settings, name);

    if (copy == NULL) {
        builder->findings->memory_is_short = true;
        return;
    }
    if (earlier != NULL && !is_repeatable(name))
        findings_add(builder->findings, FINDING_DUPLICATE_SETTING, &setting->key->place,
                     "keep one of the two",
                     "%s stands twice, in line %d of %s too: ejabberd does not start with it", name,
                     earlier->key->place.line, earlier->key->place.file);
    node_append(builder->settings, copy);
}

static bool may_be_included(const struct node *options, const char *name)
{
    const struct node *allowed = node_find(options, "allow_only");

    if (allowed != NULL && allowed->count > 0)
        return node_lists(allowed, name);
    return !node_lists(node_find(options, "disallow"), name);
}

static void add_file(struct builder *builder, const struct node *root, const struct node *options,
                     int depth);

/* What follows goes down trees, which yaml_file_read() keeps from being deep. */
/* NOLINTBEGIN(misc-no-recursion) */

static void include_file(struct builder *builder, const struct node *path,
                         const struct node *options, int depth)
{
    struct node *root;

    if (path->kind != NODE_TEXT || path->text[0] != '/') {
        findings_add(builder->findings, FINDING_COULD_NOT_JUDGE, &path->place,
                     "give the included file's whole path",
                     "what this includes depends on the directory that ejabberd runs in: the "
                     "file was not read");
        return;
    }
    if (depth > INCLUDE_DEPTH_MAX) {
        findings_add(builder->findings, FINDING_SERVER_CONFIGURATION, &path->place,
                     "include each file once", "files include each other without end");
        return;
    }
    root = yaml_file_read(builder->findings, path->text, &path->place);
    if (root != NULL)
        add_file(builder, root, options, depth);
}

/* A path, a list of them, or a map from paths to what may be in them. */
static void include(struct builder *builder, const struct node *value, int depth)
{
    if (value->kind == NODE_TEXT || value->kind == NODE_UNKNOWN)
        include_file(builder, value, NULL, depth);
    for (const struct node *child = value->children; child != NULL; child = child->next) {
        if (child->key != NULL)
            include_file(builder, child->key, child, depth);
        else
            include(builder, child, depth);
    }
}

static void add_macros(struct builder *builder, const struct node *value)
{
    for (const struct node *child = value->children; child != NULL; child = child->next) {
        struct node *copy;

        if (child->key == NULL) {
            add_macros(builder, child);
            continue;
        }
        copy = node_copy(&builder->findings->arena, child);
        if (copy != NULL)
            node_append(builder->macros, copy);
    }
}

static void add_file(struct builder *builder, const struct node *root, const struct node *options,
                     int depth)
{
    if (root->kind != NODE_MAP) {
        findings_add(builder->findings, FINDING_SERVER_CONFIGURATION, &root->place,
                     "write `setting: value` lines", "the file is not a list of settings");
        return;
    }
    for (const struct node *child = root->children; child != NULL; child = child->next) {
        if (child->key->kind != NODE_TEXT || !may_be_included(options, child->key->text))
            continue;
        if (node_is(child->key, "include_config_file"))
            include(builder, child, depth + 1);
        else if (node_is(child->key, "define_macro"))
            add_macros(builder, child);
        else
            add_setting(builder, child);
    }
}

/* `@NAME@`: newer servers put something in its place, older ones do not. */
static bool holds_keyword(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
    const char *at = text;

    while ((at = strchr(at, '@')) != NULL) {
        size_t length = strspn(++at, letters);

        if (length > 0 && at[length] == '@')
            return true;
    }
    return false;
}

static void replace_macros(struct builder *builder, struct node *node, int depth);

/* A macro's value in the place of a node, which keeps its key and its brothers. A scalar keeps the
 * place of its use too, for that is the line to change. */
static void take_value(struct node *node, const struct node *value)
{
    struct node was = *node;

    *node = *value;
    node->next = was.next;
    node->key = was.key;
    if (node->kind == NODE_TEXT)
        node->place = was.place;
}

static void replace_scalar(struct builder *builder, struct node *node, int depth)
{
    const struct node *macro = node_find(builder->macros, node->text);

    if (holds_keyword(node->text) || (macro != NULL && depth > MACRO_DEPTH_MAX)) {
        node->kind = NODE_UNKNOWN;
    } else if (macro != NULL) {
        take_value(node, macro);
        replace_macros(builder, node, depth + 1);
    }
}

/* The children are copied first: they may be those of a macro that is used elsewhere too. */
static void replace_macros(struct builder *builder, struct node *node, int depth)
{
    const struct node *child;

    if (++builder->nodes > NODES_MAX) {
        node->kind = NODE_UNKNOWN;
        node->children = NULL;
        return;
    }
    if (node->kind == NODE_TEXT)
        replace_scalar(builder, node, depth);
    if (node->kind != NODE_LIST && node->kind != NODE_MAP)
        return;
    child = node->children;
    node->children = node->last = NULL;
    node->count = 0;
    for (; child != NULL; child = child->next) {
        struct node *copy = node_copy(&builder->findings->arena, child);

        if (copy == NULL)
            return;
        replace_macros(builder, copy, depth);
        node_append(node, copy);
    }
}

/* NOLINTEND(misc-no-recursion) */

int ejabberd_config_read(struct ejabberd_config *config_r, struct findings *findings,
                         const char *path)
{
    static const struct place nowhere;
    struct builder builder = {.findings = findings};
    struct node *root = yaml_file_read(findings, path, NULL);

    if (root == NULL)
        return -1;
    builder.settings = node_create(&findings->arena, NODE_MAP, nowhere);
    builder.macros = node_create(&findings->arena, NODE_MAP, nowhere);
    if (builder.settings == NULL || builder.macros == NULL) {
        findings->memory_is_short = true;
        return -1;
    }
    add_file(&builder, root, NULL, 0);
    replace_macros(&builder, builder.settings, 0);
    *config_r = (struct ejabberd_config){.path = path, .root = root, .settings = builder.settings};
    config_r->hosts = node_find(config_r->settings, "hosts");
    return root->kind == NODE_MAP ? 0 : -1;
}

const struct node *ejabberd_config_global(const struct ejabberd_config *config, const char *name)
{
    return node_find(config->settings, name);
}

const struct node *ejabberd_config_setting(const struct ejabberd_config *config, const char *host,
                                           const char *name)
{
    const struct node *found = NULL;

    for (const struct node *child = config->settings->children; child != NULL;
         child = child->next) {
        const struct node *own = NULL;

        if (node_is(child->key, "host_config"))
            own = node_find(node_find(child, host), name);
        if (own != NULL)
            found = own;
    }
    return found != NULL ? found : ejabberd_config_global(config, name);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tree. */
int ejabberd_config_last_line(const struct node *node)
{
    int last = node->place.line;

    if (node->kind == NODE_TEXT || node->kind == NODE_UNKNOWN || node->flow)
        return node->place.end_column == 0 && node->place.end_line > last ? node->place.end_line - 1
                                                                          : node->place.end_line;
    for (const struct node *child = node->children; child != NULL; child = child->next) {
        int line = ejabberd_config_last_line(child);

        last = line > last ? line : last;
    }
    return last;
}

void ejabberd_config_plan(const struct ejabberd_config *config, struct findings *findings,
                          const char *name, const char *value)
{
    const struct node *set = ejabberd_config_global(config, name);
    const struct node *before = node_find(config->root, "auth_method");

    if (before == NULL)
        before = node_find(config->root, "hosts");
    if (set != NULL)
        findings_replace(findings, &set->place, value);
    else if (before != NULL && !config->root->flow)
        findings_insert(findings, config->path, ejabberd_config_last_line(before),
                        findings_text(findings, "%s: %s\n", name, value));
}

void ejabberd_config_plan_in(struct findings *findings, const struct node *map, const char *name,
                             const char *value)
{
    const struct node *set = node_find(map, name);
    const struct node *first = map->children;

    if (set != NULL) {
        findings_replace(findings, &set->place, value);
    } else if (map->flow) {
        struct place end = map->place;

        end.line = end.end_line;
        end.column = --end.end_column;
        findings_replace(findings, &end, findings_text(findings, ", %s: %s", name, value));
    } else if (first != NULL && first->key != NULL) {
        findings_insert(
            findings, first->key->place.file, ejabberd_config_last_line(first),
            findings_text(findings, "%*s%s: %s\n", first->key->place.column, "", name, value));
    }
}
