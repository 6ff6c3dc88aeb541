/*
 * A chat server's configuration as a tree of values that know where they were written, whatever
 * language that was. All of it lives in an arena, and as long as that.
 */
#ifndef DOCTOR_NODE_H
#define DOCTOR_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

enum node_kind {
    NODE_TEXT,   /* a scalar: text, number or boolean, as it was written */
    NODE_LIST,   /* children in order */
    NODE_MAP,    /* children in order, each with its key */
    NODE_UNKNOWN /* a value that only the server itself can know */
};

/* Where a value stands. Lines count from 1, 0: not known. Columns count bytes from 0. */
struct place {
    const char *file;
    int line;
    int column;
    int end_line;
    int end_column; /* of the first byte behind it */
};

struct node {
    enum node_kind kind;
    bool quoted;            /* a scalar that can't be a number or a boolean */
    bool flow;              /* a list or map in brackets */
    const char *text;       /* a scalar's; terminated */
    const struct node *key; /* of a map's child; NULL for a list's */
    struct node *children;
    struct node *last;
    struct node *next; /* among its parent's children */
    size_t count;      /* of children */
    struct place place;
};

/* An empty node, or NULL where memory is short. */
struct node *node_create(struct arena *arena, enum node_kind kind, struct place place);

/* A copy without children's brothers: a node can stand in one list only. NULL where memory is
 * short. The children are shared. */
struct node *node_copy(struct arena *arena, const struct node *node);

/* Appends a child that stands nowhere yet. */
void node_append(struct node *parent, struct node *child);

/* A map's child of that key, the last one where there are several; NULL: none, or no map. */
const struct node *node_find(const struct node *map, const char *key);

/* Whether a node (NULL: no) is a scalar of exactly that text. */
bool node_is(const struct node *node, const char *text);

enum node_truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

/* A boolean as ejabberd and Prosody read one, `unset` for NULL. */
enum node_truth node_truth(const struct node *node, enum node_truth unset);

/* A whole number of a scalar that is not quoted. Returns 0, or -1 (nothing written). */
__attribute__((warn_unused_result)) int node_number(const struct node *node, int64_t *number_r);

/* Whether a list, or a single scalar in its place, holds a text, letters in either case. */
bool node_lists(const struct node *node, const char *text);

/* Whether a value holds one that only the server can know (NULL: no). */
bool node_has_unknown(const struct node *node);

#endif
