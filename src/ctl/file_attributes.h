/* What a file has beyond owner and mode: access lists, security labels, attributes of users' own. */
#ifndef CTL_FILE_ATTRIBUTES_H
#define CTL_FILE_ATTRIBUTES_H

/*
 * Gives the open file `to` exactly the access list of the open file `from` (none, where that has
 * none: a directory's default one is taken away again), and its other attributes; labels that only
 * the system may set are left out where it does not let us. Returns 0, or -1 with errno. Does
 * nothing on systems without extended attributes.
 */
__attribute__((warn_unused_result)) int file_attributes_copy(int from, int to);

#endif
