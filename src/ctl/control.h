/* The daemon's control socket: a request line, and the lines of its answer. */
#ifndef CTL_CONTROL_H
#define CTL_CONTROL_H

#include <stddef.h>

#include "ctl/arguments.h"
#include "ctl/command.h"
#include "wire/protocol.h"

/* Bytes of a request line, its end included. */
enum { CONTROL_REQUEST_MAX = REQUEST_MAX + 1 };

/*
 * Sends a request line of length bytes, its end included, and prints the lines of the answer.
 * CTL_YES; or CTL_ERROR after a complaint: the daemon can't be asked, or has answered with an
 * error.
 */
enum ctl_status control_ask(const struct arguments *arguments, const char *request, size_t length);

/* The same for a request line put together as printf() does. */
__attribute__((format(printf, 2, 3))) enum ctl_status
control_askf(const struct arguments *arguments, const char *format, ...);

/* The same for a list, which may take as long as it likes while it comes. */
enum ctl_status control_list(const struct arguments *arguments, const char *request);

#endif
