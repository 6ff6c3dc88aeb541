#include "doctor/yaml_file.h"

#include <string.h>

#include <yaml.h>

#include "doctor/text_file.h"

/* Aliases can make a short file endless: no real configuration comes near these. */
enum { NODES_MAX = 200000, DEPTH_MAX = 64 };

struct reader {
    struct findings *findings;
    yaml_document_t document;
    const char *path;
    const char *text;
    size_t size;
    size_t *lines; /* where each begins; one more for the end */
    size_t line_count;
    size_t nodes;
    const char *fault;
};

/* Where each line begins, and the text's end. 0, or -1 where memory is short. */
static int index_lines(struct reader *reader)
{
    size_t count = 1;
    size_t line = 0;

    for (size_t at = 0; at < reader->size; at++)
        count += reader->text[at] == '\n';
    reader->lines = arena_alloc(&reader->findings->arena, (count + 1) * sizeof(*reader->lines));
    if (reader->lines == NULL)
        return -1;
    reader->line_count = count;
    reader->lines[line++] = 0;
    for (size_t at = 0; at < reader->size; at++) {
        if (reader->text[at] == '\n')
            reader->lines[line++] = at + 1;
    }
    reader->lines[line] = reader->size;
    return 0;
}

/* libyaml counts characters within a line; we count bytes. */
static int byte_column(const struct reader *reader, const yaml_mark_t *mark)
{
    size_t characters = mark->column;
    size_t at, start;

    if (mark->line >= reader->line_count)
        return 0;
    start = reader->lines[mark->line];
    for (at = start; at < reader->lines[mark->line + 1]; at++) {
        if (((unsigned char)reader->text[at] & 0xc0) != 0x80 && characters-- == 0)
            break;
    }
    return (int)(at - start);
}

static struct place place_of(const struct reader *reader, const yaml_node_t *node)
{
    return (struct place){.file = reader->path,
                          .line = (int)node->start_mark.line + 1,
                          .column = byte_column(reader, &node->start_mark),
                          .end_line = (int)node->end_mark.line + 1,
                          .end_column = byte_column(reader, &node->end_mark)};
}

/* Down to DEPTH_MAX. */
/* NOLINTBEGIN(misc-no-recursion) */

static struct node *convert(struct reader *reader, int index, int depth);

static struct node *fail(struct reader *reader, const char *fault)
{
    reader->fault = fault;
    return NULL;
}

static struct node *convert_scalar(struct reader *reader, struct node *node,
                                   const yaml_node_t *from)
{
    const char *value = (const char *)from->data.scalar.value;

    node->quoted = from->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = arena_copy(&reader->findings->arena, value, from->data.scalar.length);
    return node->text == NULL ? fail(reader, "memory is short") : node;
}

static struct node *convert_list(struct reader *reader, struct node *node, const yaml_node_t *from,
                                 int depth)
{
    node->flow = from->data.sequence.style == YAML_FLOW_SEQUENCE_STYLE;
    for (const yaml_node_item_t *item = from->data.sequence.items.start;
         item < from->data.sequence.items.top; item++) {
        struct node *child = convert(reader, *item, depth + 1);

        if (child == NULL)
            return NULL;
        node_append(node, child);
    }
    return node;
}

static struct node *convert_map(struct reader *reader, struct node *node, const yaml_node_t *from,
                                int depth)
{
    node->flow = from->data.mapping.style == YAML_FLOW_MAPPING_STYLE;
    for (const yaml_node_pair_t *pair = from->data.mapping.pairs.start;
         pair < from->data.mapping.pairs.top; pair++) {
        struct node *key = convert(reader, pair->key, depth + 1);
        struct node *child = key == NULL ? NULL : convert(reader, pair->value, depth + 1);

        if (child == NULL)
            return NULL;
        child->key = key;
        node_append(node, child);
    }
    return node;
}

static struct node *convert(struct reader *reader, int index, int depth)
{
    const yaml_node_t *from = yaml_document_get_node(&reader->document, index);
    struct node *node;

    if (depth > DEPTH_MAX || ++reader->nodes > NODES_MAX)
        return fail(reader, "holds values within values without end");
    if (from == NULL)
        return fail(reader, "can't be read as YAML");
    node = node_create(&reader->findings->arena,
                       from->type == YAML_SEQUENCE_NODE  ? NODE_LIST
                       : from->type == YAML_MAPPING_NODE ? NODE_MAP
                                                         : NODE_TEXT,
                       place_of(reader, from));
    if (node == NULL)
        return fail(reader, "memory is short");
    if (node->kind == NODE_LIST)
        return convert_list(reader, node, from, depth);
    if (node->kind == NODE_MAP)
        return convert_map(reader, node, from, depth);
    return convert_scalar(reader, node, from);
}

/* NOLINTEND(misc-no-recursion) */

static struct node *convert_document(struct reader *reader)
{
    static const struct place nowhere;
    struct place place = {.file = reader->path};
    struct node *root;

    if (yaml_document_get_root_node(&reader->document) == NULL)
        return node_create(&reader->findings->arena, NODE_MAP, nowhere);
    root = convert(reader, 1, 0);
    if (root == NULL)
        findings_add(reader->findings, FINDING_SERVER_CONFIGURATION, &place,
                     "write it without anchors that hold themselves", "the file %s", reader->fault);
    return root;
}

static struct node *parse(struct reader *reader)
{
    struct place place = {.file = reader->path};
    struct node *root = NULL;
    yaml_parser_t parser;

    if (index_lines(reader) != 0 || yaml_parser_initialize(&parser) == 0) {
        reader->findings->memory_is_short = true;
        return NULL;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)reader->text, reader->size);
    if (yaml_parser_load(&parser, &reader->document) != 0) {
        root = convert_document(reader);
        yaml_document_delete(&reader->document);
    } else {
        place.line = (int)parser.problem_mark.line + 1;
        findings_add(reader->findings, FINDING_SERVER_CONFIGURATION, &place,
                     "correct the line: indentation by blanks alone, and a blank after each colon",
                     "the file is not YAML: %s; ejabberd does not start with it",
                     parser.problem == NULL ? "it can't be read" : parser.problem);
    }
    yaml_parser_delete(&parser);
    return root;
}

struct node *yaml_file_read(struct findings *findings, const char *path, const struct place *blame)
{
    const struct place itself = {.file = path};
    struct reader reader = {.findings = findings, .path = path};
    const char *why = "";

    reader.text = text_file_read(&findings->arena, path, &reader.size, &why);
    if (reader.text == NULL) {
        findings_add(findings, FINDING_SERVER_CONFIGURATION, blame == NULL ? &itself : blame,
                     "name the file that the server reads", "%s: %s", path, why);
        return NULL;
    }
    return parse(&reader);
}
