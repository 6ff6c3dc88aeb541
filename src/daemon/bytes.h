/* A growing stretch of bytes: appended at its end, consumed from its front. */
#ifndef DAEMON_BYTES_H
#define DAEMON_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty, without memory. The content is data[start] to data[end - 1]. */
struct bytes {
    uint8_t *data;
    uint32_t start;
    uint32_t end;
    uint32_t capacity;
};

static inline size_t bytes_size(const struct bytes *bytes)
{
    return bytes->end - bytes->start;
}

/*
 * Room for size more bytes behind the content, for the caller to fill; they count as content at
 * once. NULL where memory is short (nothing changed). Borrowed until the next call.
 */
uint8_t *bytes_extend(struct bytes *bytes, size_t size);

/* Takes size bytes (at most bytes_size()) from the front. */
void bytes_consume(struct bytes *bytes, size_t size);

/* Wipes and frees the memory where there is no content; an idle connection costs none. */
void bytes_trim(struct bytes *bytes);

/* Wipes (requests hold passwords) and frees. */
void bytes_clear(struct bytes *bytes);

#endif
