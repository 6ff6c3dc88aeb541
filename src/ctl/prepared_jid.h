/*
 * USER@HOST in the one form in which chat servers ask about it (base/prepared_name.h). A denial
 * under another name would keep nobody out.
 */
#ifndef CTL_PREPARED_JID_H
#define CTL_PREPARED_JID_H

#include "base/prepared_name.h"

enum { PREPARED_JID_SIZE = 2 * PREPARED_NAME_MAX + 2 };

/*
 * Prepares length bytes, any bytes. Returns 0 and the terminated name; or -1 and static words for
 * what is wrong in *error_r.
 */
__attribute__((warn_unused_result)) int prepared_jid_make(const char *text, size_t length,
                                                          char jid_r[PREPARED_JID_SIZE],
                                                          const char **error_r);

/* The same for a terminated operand, complaining where it fails, and telling where the name is
 * another now. 0 or -1. */
__attribute__((warn_unused_result)) int prepared_jid_take(const char *operand,
                                                          char jid_r[PREPARED_JID_SIZE]);

#endif
