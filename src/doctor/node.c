#include "doctor/node.h"

#include <string.h>
#include <strings.h>

#include "base/number.h"

struct node *node_create(struct arena *arena, enum node_kind kind, struct place place)
{
    struct node *node = arena_alloc(arena, sizeof(*node));

    if (node != NULL) {
        node->kind = kind;
        node->place = place;
        node->text = "";
    }
    return node;
}

struct node *node_copy(struct arena *arena, const struct node *node)
{
    struct node *copy = arena_alloc(arena, sizeof(*copy));

    if (copy != NULL) {
        *copy = *node;
        copy->next = NULL;
    }
    return copy;
}

void node_append(struct node *parent, struct node *child)
{
    if (parent->last == NULL)
        parent->children = child;
    else
        parent->last->next = child;
    parent->last = child;
    parent->count++;
}

const struct node *node_find(const struct node *map, const char *key)
{
    const struct node *found = NULL;

    if (map == NULL || map->kind != NODE_MAP)
        return NULL;
    for (const struct node *child = map->children; child != NULL; child = child->next) {
        if (node_is(child->key, key))
            found = child;
    }
    return found;
}

bool node_is(const struct node *node, const char *text)
{
    return node != NULL && node->kind == NODE_TEXT && strcmp(node->text, text) == 0;
}

enum node_truth node_truth(const struct node *node, enum node_truth unset)
{
    static const char *const yes[] = {"true", "yes", "on", "y"};
    static const char *const no[] = {"false", "no", "off", "n"};

    if (node == NULL)
        return unset;
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (node_is(node, yes[i]))
            return TRUTH_YES;
        if (node_is(node, no[i]))
            return TRUTH_NO;
    }
    return TRUTH_UNKNOWN;
}

int node_number(const struct node *node, int64_t *number_r)
{
    if (node == NULL || node->kind != NODE_TEXT || node->quoted)
        return -1;
    return number_parse(node->text, strlen(node->text), number_r);
}

bool node_lists(const struct node *node, const char *text)
{
    if (node == NULL)
        return false;
    if (node->kind == NODE_TEXT)
        return strcasecmp(node->text, text) == 0;
    for (const struct node *child = node->children; child != NULL; child = child->next) {
        if (child->kind == NODE_TEXT && strcasecmp(child->text, text) == 0)
            return true;
    }
    return false;
}

bool node_has_unknown(const struct node *node)
{
    if (node == NULL)
        return false;
    if (node->kind == NODE_UNKNOWN)
        return true;
    for (const struct node *child = node->children; child != NULL; child = child->next) {
        if (child->kind == NODE_UNKNOWN)
            return true;
    }
    return false;
}
