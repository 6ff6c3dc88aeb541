/* What the process asks of the operating system at its start. */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include <stdint.h>

/* Leaves no core file and lets no other process of the same user look into this one: memory holds
 * secrets. */
void process_hide_memory(void);

/* Logs a warning where the memory that holds the secrets could not be locked. */
void process_report_secret_memory(void);

/* Raises the limit of open descriptors as far as it may go, and logs a warning where that is too
 * few for the connections. */
void process_raise_descriptor_limit(int64_t connections);

#endif
