#include "relay/framing.h"

#include <string.h>

#define LENGTH_BYTES    2
#define FIRST_LINE_BYTE 0x20

static const char *const operations[] = {
    "auth:", "isuser:", "setpass:", "tryregister:", "removeuser:", "removeuser3:", "certauth:",
};

enum guess { GUESS_NO, GUESS_MAYBE, GUESS_YES };

/*
 * Whether an operation's name begins at text. Without this look, whoever sends a password of more
 * than 8 kB as the first login of all would turn ejabberd's framing into lines: its length's high
 * byte is a printable character then.
 */
static enum guess begins_with_operation(const uint8_t *text, size_t length)
{
    enum guess guess = GUESS_NO;

    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        size_t name = strlen(operations[i]);

        if (memcmp(text, operations[i], length < name ? length : name) != 0)
            continue;
        if (length >= name)
            return GUESS_YES;
        guess = GUESS_MAYBE;
    }
    return guess;
}

static enum relay_framing detect(const uint8_t *bytes, size_t length)
{
    if (bytes[0] < FIRST_LINE_BYTE)
        return RELAY_FRAMING_LENGTH;
    if (memchr(bytes, '\n', length < LENGTH_BYTES ? length : LENGTH_BYTES) != NULL)
        return RELAY_FRAMING_LINE;
    if (length <= LENGTH_BYTES)
        return RELAY_FRAMING_UNKNOWN;
    switch (begins_with_operation(bytes + LENGTH_BYTES, length - LENGTH_BYTES)) {
    case GUESS_YES:
        return RELAY_FRAMING_LENGTH;
    case GUESS_MAYBE:
        return RELAY_FRAMING_UNKNOWN;
    case GUESS_NO:
        break;
    }
    return RELAY_FRAMING_LINE;
}

static enum relay_item discard_bytes(struct relay_framer *framer, size_t length, size_t *used_r)
{
    *used_r = length < framer->discard ? length : framer->discard;
    framer->discard -= *used_r;
    return framer->discard == 0 ? RELAY_ITEM_REFUSED : RELAY_ITEM_NONE;
}

static enum relay_item next_by_length(struct relay_framer *framer, const uint8_t *bytes,
                                      size_t length, size_t *used_r)
{
    size_t whole;

    if (framer->discard > 0)
        return discard_bytes(framer, length, used_r);
    if (length < LENGTH_BYTES)
        return RELAY_ITEM_NONE;
    whole = LENGTH_BYTES + ((size_t)bytes[0] << 8 | bytes[1]);
    if (whole > RELAY_QUESTION_MAX) {
        framer->discard = whole;
        return discard_bytes(framer, length, used_r);
    }
    if (length < whole)
        return RELAY_ITEM_NONE;
    *used_r = whole;
    return whole == LENGTH_BYTES ? RELAY_ITEM_REFUSED : RELAY_ITEM_QUESTION;
}

static size_t text_of_line(const uint8_t *line, size_t length)
{
    size_t text = length - 1;

    return text > 0 && line[text - 1] == '\r' ? text - 1 : text;
}

static enum relay_item next_by_line(struct relay_framer *framer, const uint8_t *bytes,
                                    size_t length, size_t *used_r)
{
    const uint8_t *end = memchr(bytes, '\n', length);
    size_t text;

    if (end == NULL) {
        if (framer->discarding_line || length >= RELAY_QUESTION_MAX) {
            framer->discarding_line = true;
            *used_r = length;
        }
        return RELAY_ITEM_NONE;
    }
    *used_r = (size_t)(end - bytes) + 1;
    if (framer->discarding_line) {
        framer->discarding_line = false;
        return RELAY_ITEM_REFUSED;
    }
    text = text_of_line(bytes, *used_r);
    if (text == 0 || text > RELAY_TEXT_MAX || bytes[0] < FIRST_LINE_BYTE)
        return RELAY_ITEM_REFUSED;
    return RELAY_ITEM_QUESTION;
}

enum relay_item relay_framer_next(struct relay_framer *framer, const uint8_t *bytes, size_t length,
                                  size_t *used_r)
{
    *used_r = 0;
    if (length == 0)
        return RELAY_ITEM_NONE;
    if (framer->framing == RELAY_FRAMING_UNKNOWN)
        framer->framing = detect(bytes, length);
    switch (framer->framing) {
    case RELAY_FRAMING_LENGTH:
        return next_by_length(framer, bytes, length, used_r);
    case RELAY_FRAMING_LINE:
        return next_by_line(framer, bytes, length, used_r);
    case RELAY_FRAMING_UNKNOWN:
        break;
    }
    return RELAY_ITEM_NONE;
}

const char *relay_answer_bytes(enum relay_framing framing, bool yes, size_t *length_r)
{
    if (framing == RELAY_FRAMING_LENGTH) {
        *length_r = 4;
        return yes ? "\0\2\0\1" : "\0\2\0\0";
    }
    *length_r = 2;
    return yes ? "1\n" : "0\n";
}

enum relay_answer relay_answer_read(enum relay_framing framing, const uint8_t *bytes, size_t length)
{
    enum relay_answer answer = RELAY_ANSWER_GARBAGE;

    for (int yes = 0; yes <= 1; yes++) {
        size_t whole;
        const char *expected = relay_answer_bytes(framing, yes == 1, &whole);

        if (length > whole || memcmp(bytes, expected, length) != 0)
            continue;
        if (length == whole)
            return yes == 1 ? RELAY_ANSWER_YES : RELAY_ANSWER_NO;
        answer = RELAY_ANSWER_UNFINISHED;
    }
    return answer;
}
