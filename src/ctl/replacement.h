/*
 * A file that is to take another's place: made beside it, with its owner, group, mode, access list
 * and other attributes, and then put there in one step. Whoever opens the name finds the old file
 * or the new one, never a part of either.
 */
#ifndef CTL_REPLACEMENT_H
#define CTL_REPLACEMENT_H

#include <stddef.h>
#include <sys/stat.h>

enum { REPLACEMENT_NAME_SIZE = 280 };

struct replacement {
    int directory;    /* borrowed: where both are */
    const char *name; /* borrowed: whose place it takes */
    int descriptor;
    char own_name[REPLACEMENT_NAME_SIZE]; /* its name until then */
};

/*
 * Creates an empty file in directory for the one called name there, which is open as original and
 * has the given status. Returns 0, or -1 after a complaint: nothing is left behind. Ended by
 * replacement_commit() or replacement_discard().
 */
__attribute__((warn_unused_result)) int replacement_create(struct replacement *replacement,
                                                           int directory, const char *name,
                                                           int original, const struct stat *status);

/* Writes bytes behind those that are there, and has them on the disk. 0, or -1 after a complaint. */
__attribute__((warn_unused_result)) int replacement_write(struct replacement *replacement,
                                                          const void *bytes, size_t size);

/* Puts the file in the other's place, on the disk too. Returns 0, or -1 after a complaint: then the
 * other is still there, and this one is gone. */
__attribute__((warn_unused_result)) int replacement_commit(struct replacement *replacement);

/* Removes the file; the other stays. */
void replacement_discard(struct replacement *replacement);

#endif
