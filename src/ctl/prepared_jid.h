/*
 * USER@HOST in the one form in which chat servers ask about it: the user by nodeprep (RFC 3920,
 * appendix A), the host by nameprep (RFC 3491). A denial under another name would keep
 * nobody out.
 */
#ifndef CTL_PREPARED_JID_H
#define CTL_PREPARED_JID_H

#include <stddef.h>

enum { PREPARED_PART_MAX = 1023, PREPARED_JID_SIZE = 2 * PREPARED_PART_MAX + 2 };

/*
 * Prepares length bytes, any bytes. Returns 0 and the terminated name; or -1 and static words for
 * what is wrong in *error_r. Names beyond ASCII need ICU (HAVE_ICU); without it they are refused.
 */
__attribute__((warn_unused_result)) int prepared_jid_make(const char *text, size_t length,
                                                          char jid_r[PREPARED_JID_SIZE],
                                                          const char **error_r);

/* The same for a terminated operand, complaining where it fails, and telling where the name is
 * another now. 0 or -1. */
__attribute__((warn_unused_result)) int prepared_jid_take(const char *operand,
                                                          char jid_r[PREPARED_JID_SIZE]);

#endif
