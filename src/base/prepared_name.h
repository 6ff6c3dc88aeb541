/*
 * A name in the one form in which chat servers ask about it: a user by nodeprep (RFC 3920,
 * appendix A), a host by nameprep (RFC 3491). Names beyond ASCII need ICU (HAVE_ICU). Pure.
 */
#ifndef BASE_PREPARED_NAME_H
#define BASE_PREPARED_NAME_H

#include <stddef.h>

enum { PREPARED_NAME_MAX = 1023, PREPARED_NAME_SIZE = PREPARED_NAME_MAX + 1 };

enum name_fault {
    NAME_IS_RIGHT,
    NAME_IS_EMPTY,    /* as written, or once prepared */
    NAME_IS_TOO_LONG, /* more than PREPARED_NAME_MAX bytes, as written or once prepared */
    NAME_IS_NOT_UTF8,
    NAME_IS_FORBIDDEN, /* holds a character that no such name has */
    NAME_IS_NOT_ASCII  /* and this build has no ICU */
};

/* Each prepares length bytes, any bytes, and terminates the name. Where there is a fault, name_r
 * holds nothing of use. */
__attribute__((warn_unused_result)) enum name_fault prepared_user(const char *text, size_t length,
                                                                  char name_r[PREPARED_NAME_SIZE]);
__attribute__((warn_unused_result)) enum name_fault prepared_host(const char *text, size_t length,
                                                                  char name_r[PREPARED_NAME_SIZE]);

#endif
