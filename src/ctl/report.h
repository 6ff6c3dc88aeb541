/* What is said on standard output and standard error. */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include <stddef.h>

/* Writes `xmpp-authctl: what happened and what to do` to standard error. */
__attribute__((format(printf, 1, 2))) void ctl_complain(const char *format, ...);

/* From here on complaints go into buffer, terminated and cut to size, in place of standard error; NULL:
 * no more. For what draws on the terminal. */
void ctl_hold_complaints(char *buffer, size_t size);

/* Gives standard output a buffer that can be wiped. Called before anything is written there. */
void ctl_output_begin(void);

/* Sends what was written to standard output and wipes the buffer. Returns 0, or -1 after a
 * complaint: what was printed may not have arrived. */
__attribute__((warn_unused_result)) int ctl_output_end(void);

#endif
