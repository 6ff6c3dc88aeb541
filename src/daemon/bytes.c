#include "daemon/bytes.h"

#include <string.h>

#include <openssl/crypto.h>

enum { SMALLEST_CAPACITY = 256 };

/* Not realloc(): it would leave a copy of what may be a password behind. */
static int grow(struct bytes *bytes, size_t needed)
{
    size_t content = bytes_size(bytes);
    size_t capacity = SMALLEST_CAPACITY;
    uint8_t *data;

    while (capacity < needed)
        capacity *= 2;
    data = OPENSSL_malloc(capacity);
    if (data == NULL)
        return -1;
    if (content > 0)
        memcpy(data, bytes->data + bytes->start, content);
    bytes_clear(bytes);
    *bytes = (struct bytes){.data = data, .end = (uint32_t)content, .capacity = (uint32_t)capacity};
    return 0;
}

uint8_t *bytes_extend(struct bytes *bytes, size_t size)
{
    size_t content = bytes_size(bytes);
    uint8_t *room;

    if (bytes->capacity - bytes->end < size && bytes->start > 0 &&
        content + size <= bytes->capacity / 2) {
        memmove(bytes->data, bytes->data + bytes->start, content);
        bytes->start = 0;
        bytes->end = (uint32_t)content;
    }
    if (bytes->capacity - bytes->end < size && grow(bytes, content + size) != 0)
        return NULL;
    room = bytes->data + bytes->end;
    bytes->end += (uint32_t)size;
    return room;
}

void bytes_consume(struct bytes *bytes, size_t size)
{
    bytes->start += (uint32_t)size;
    if (bytes->start == bytes->end)
        bytes->start = bytes->end = 0;
}

void bytes_trim(struct bytes *bytes)
{
    if (bytes_size(bytes) == 0)
        bytes_clear(bytes);
}

void bytes_clear(struct bytes *bytes)
{
    OPENSSL_clear_free(bytes->data, bytes->capacity);
    *bytes = (struct bytes){0};
}
