#ifndef RELAY_FRAMING_H
#define RELAY_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where questions begin and end in a chat server's bytes, and what counts as an answer. Pure: no
 * descriptor, no clock.
 *
 *   length  (ejabberd, MongooseIM)  2 bytes, big endian, then the text      answer 00 02 00 01 or
 * 00 02 00 00 line    (generic)               the text, LF (a CR before it is no text)  answer
 * "1\n" or "0\n"
 */

/* The longest text of a question that is passed on, in bytes; the daemon takes no longer one
 * either. */
#define RELAY_TEXT_MAX 8191
/* The longest framed question: a text, and a length or CR LF. */
#define RELAY_QUESTION_MAX (RELAY_TEXT_MAX + 2)

enum relay_framing {
    RELAY_FRAMING_UNKNOWN,
    RELAY_FRAMING_LENGTH,
    RELAY_FRAMING_LINE,
};

/* One stream of questions. All zeros is the beginning of a stream whose framing is to be found out.
 */
struct relay_framer {
    enum relay_framing framing;
    size_t discard;       /* bytes of an overlong length-framed question that are still to come */
    bool discarding_line; /* inside an overlong line */
};

enum relay_item {
    RELAY_ITEM_NONE,     /* more bytes are needed */
    RELAY_ITEM_QUESTION, /* a question to pass on as it stands */
    RELAY_ITEM_REFUSED,  /* the end of a question that is to be denied unasked */
};

/*
 * Looks for the next question at the beginning of bytes[0..length).
 *
 * *used_r is how many bytes belong to what was found: the whole framed question for
 * RELAY_ITEM_QUESTION, else bytes that the caller throws away (they are gone from the next call
 * on). Refused are texts over RELAY_TEXT_MAX, whose bytes are used up as they come; empty texts;
 * and lines that begin with a byte below 0x20, which the daemon would take for a length.
 * RELAY_ITEM_NONE with nothing used is returned only for fewer than RELAY_QUESTION_MAX bytes, so a
 * buffer of that size never gets stuck.
 *
 * The first bytes of a stream settle its framing, for good: below 0x20 it is the length of a
 * question that may be asked, anything else begins a line, but for an overlong length-framed
 * question, which its operation's name in the third byte gives away.
 */
enum relay_item relay_framer_next(struct relay_framer *framer, const uint8_t *bytes, size_t length,
                                  size_t *used_r);

enum relay_answer {
    RELAY_ANSWER_UNFINISHED, /* right so far */
    RELAY_ANSWER_YES,
    RELAY_ANSWER_NO,
    RELAY_ANSWER_GARBAGE, /* nothing that may follow makes this one answer */
};

/* What bytes[0..length), all that came after one question, are. Bytes after a whole answer make it
 * garbage. */
enum relay_answer relay_answer_read(enum relay_framing framing, const uint8_t *bytes,
                                    size_t length);

/* The answer to write; *length_r is its length. Static storage. The framing must be known. */
const char *relay_answer_bytes(enum relay_framing framing, bool yes, size_t *length_r);

#endif
