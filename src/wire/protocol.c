#include "wire/protocol.h"

#include <string.h>

static enum frame_status generic_find_frame(const uint8_t *bytes, size_t size, size_t maximum,
                                            struct frame *frame_r)
{
    /* The longest line is maximum bytes of text, CR and LF. */
    size_t searched = size < maximum + 2 ? size : maximum + 2;
    const uint8_t *end = memchr(bytes, '\n', searched);
    size_t length;

    if (end == NULL)
        return size > maximum + 1 ? FRAME_TOO_LONG : FRAME_INCOMPLETE;
    length = (size_t)(end - bytes);
    size = length + 1;
    if (length > 0 && bytes[length - 1] == '\r')
        length--;
    if (length > maximum)
        return FRAME_TOO_LONG;
    frame_r->text = (const char *)bytes;
    frame_r->length = length;
    frame_r->size = size;
    return FRAME_COMPLETE;
}

static void generic_encode(enum answer answer, uint8_t *bytes_r)
{
    bytes_r[0] = answer == ANSWER_YES ? '1' : '0';
    bytes_r[1] = '\n';
}

static enum frame_status ejabberd_find_frame(const uint8_t *bytes, size_t size, size_t maximum,
                                             struct frame *frame_r)
{
    size_t length;

    if (size < 2)
        return FRAME_INCOMPLETE;
    length = (size_t)bytes[0] << 8 | bytes[1];
    if (length > maximum)
        return FRAME_TOO_LONG;
    if (size < 2 + length)
        return FRAME_INCOMPLETE;
    frame_r->text = (const char *)bytes + 2;
    frame_r->length = length;
    frame_r->size = 2 + length;
    return FRAME_COMPLETE;
}

static void ejabberd_encode(enum answer answer, uint8_t *bytes_r)
{
    static const uint8_t values[] = {[ANSWER_NO] = 0, [ANSWER_YES] = 1, [ANSWER_TRY_AGAIN] = 2};

    bytes_r[0] = 0;
    bytes_r[1] = 2;
    bytes_r[2] = 0;
    bytes_r[3] = values[answer];
}

/* Both of these protocols name the host, and the names as they count. */
static struct question understand_text(const char *text, size_t length, const char *host,
                                       char user_r[PREPARED_NAME_SIZE])
{
    (void)host;
    (void)user_r;
    return question_parse(text, length);
}

const struct protocol protocol_generic = {
    .word = "generic",
    .answer_size = 2,
    .find_frame = generic_find_frame,
    .understand = understand_text,
    .encode = generic_encode,
};

const struct protocol protocol_ejabberd = {
    .word = "ejabberd",
    .answer_size = 4,
    .find_frame = ejabberd_find_frame,
    .understand = understand_text,
    .encode = ejabberd_encode,
};

const struct protocol *protocol_of_first_byte(uint8_t byte)
{
    return byte < 0x20 ? &protocol_ejabberd : &protocol_generic;
}
