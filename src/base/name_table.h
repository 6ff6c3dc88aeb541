/* Values found by name in one look, however many there are: hosts, users, sections. Names are any
 * bytes, compared exactly. */
#ifndef BASE_NAME_TABLE_H
#define BASE_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct name_slot {
    const char *name; /* NULL: free */
    size_t length;
    uint64_t hash;
    void *value;
};

/* A zeroed table is an empty one. */
struct name_table {
    struct name_slot *slots;
    size_t count;
    size_t capacity;
    uint64_t seed; /* random: which names make long chains is another matter in each process */
};

/*
 * Puts a value under a name that is not there yet. The name is borrowed and must outlive the table.
 * Returns 0, or -1 where memory is short (the table is as it was).
 */
__attribute__((warn_unused_result)) int name_table_add(struct name_table *table, const char *name,
                                                       size_t length, void *value);

/* The value under a name, or NULL. */
void *name_table_find(const struct name_table *table, const char *name, size_t length);

/* What a name is looked for by, as long as the table holds any: for name_guess_create(). */
uint64_t name_table_hash(const struct name_table *table, const char *name, size_t length);

/* Takes a name out, if it is there. */
void name_table_remove(struct name_table *table, const char *name, size_t length);

/* Frees the table's own memory, neither names nor values, and leaves it empty. */
void name_table_clear(struct name_table *table);

#endif
