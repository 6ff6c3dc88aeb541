/* What keeps a text from being a token, in words that tell where to look and nothing of the text
 * itself. */
#ifndef CTL_TOKEN_SHAPE_H
#define CTL_TOKEN_SHAPE_H

#include "token/format.h"

enum { TOKEN_SHAPE_SIZE = 256 };

/*
 * Says why token_parse() refuses length bytes; columns count from 1. Returns text_r. For a text
 * that it takes the words would be wrong.
 */
const char *token_shape_explain(const struct token_format *format, const char *text, size_t length,
                                char text_r[TOKEN_SHAPE_SIZE]);

#endif
