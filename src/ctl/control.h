/* The daemon's control socket: a request line, and the lines of its answer. */
#ifndef CTL_CONTROL_H
#define CTL_CONTROL_H

#include <stddef.h>

#include "ctl/arguments.h"
#include "ctl/command.h"
#include "wire/protocol.h"

/* Bytes of a request line, its end included. */
enum { CONTROL_REQUEST_MAX = REQUEST_MAX + 1 };

/* Ten thousand keys take a few million. */
enum { CONTROL_ANSWER_MAX = 64 << 20 };

/*
 * Sends a request line of length bytes, its end included, and prints the lines of the answer.
 * CTL_YES; or CTL_ERROR after a complaint: the daemon can't be asked, or has answered with an
 * error.
 */
enum ctl_status control_ask(const struct arguments *arguments, const char *request, size_t length);

/* The same for a request line put together as printf() does. */
__attribute__((format(printf, 2, 3))) enum ctl_status
control_askf(const struct arguments *arguments, const char *format, ...);

/*
 * Sends a request line to the control socket at path. Returns the whole answer, terminated and to be
 * freed; or NULL after a complaint: the daemon can't be asked, has answered with an error, or with
 * more than CONTROL_ANSWER_MAX bytes.
 */
char *control_fetch(const char *path, const char *request);

/* The same, all of it within TALK_SECONDS. */
char *control_fetch_soon(const char *path, const char *request);

/* The same, at the path that the arguments or their configuration name. */
char *control_fetch_by(const struct arguments *arguments, const char *request);

/* Like control_ask(), for a list, which may take as long as it likes while it comes. */
enum ctl_status control_list(const struct arguments *arguments, const char *request);

#endif
