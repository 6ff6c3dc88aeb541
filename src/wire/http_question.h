/*
 * The question in an HTTP request as chat servers' HTTP back ends send it: the fields `user`,
 * `server` and `pass`, form-encoded, in a query or in a body. Pure.
 */
#ifndef WIRE_HTTP_QUESTION_H
#define WIRE_HTTP_QUESTION_H

#include "wire/protocol.h"

/*
 * Decodes length bytes, any bytes, into a question of the given kind, QUESTION_AUTH (which needs
 * pass), QUESTION_IS_USER (which may have one) or QUESTION_UNSUPPORTED; text_r is where its fields
 * stand, and the question borrows from it. Malformed are: more than REQUEST_MAX bytes, a field that
 * stands twice, an unknown one, a missing one, a bad escape, a blank or control byte that is not
 * escaped, and fields against the rules of question_parse(); a user with a colon too.
 */
struct question http_question_parse(enum question_kind kind, const char *form, size_t length,
                                    char text_r[REQUEST_MAX]);

#endif
