/*
 * The protocols: bytes to a request, a request to a question, an answer to bytes. Pure. Answers of
 * one protocol all have the same size, so an answer can be put in its place before it is known.
 */
#ifndef WIRE_PROTOCOL_H
#define WIRE_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prepared_name.h"
#include "wire/question.h"

enum {
    REQUEST_MAX = 8191, /* bytes of a request's text; so a length's first byte is below 0x20 */
    REQUEST_OVERHEAD_MAX = 2, /* bytes of framing around it */
    ANSWER_SIZE_MAX = 4
};

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_TRY_AGAIN };

enum frame_status {
    FRAME_INCOMPLETE, /* more bytes are needed */
    FRAME_COMPLETE,   /* the frame is filled in */
    FRAME_TOO_LONG    /* longer than allowed: nothing after it can be framed */
};

struct frame {
    const char *text; /* borrowed from the bytes */
    size_t length;    /* of the text, at most the maximum asked for */
    size_t size;      /* of the whole frame in bytes */
};

struct protocol {
    const char *word;   /* its name in configuration and log */
    size_t answer_size; /* at most ANSWER_SIZE_MAX */
    bool asks_once;     /* what follows a connection's first request is no request */
    /* Looks for one request of at most maximum bytes of text (1 to REQUEST_MAX) in size bytes. */
    enum frame_status (*find_frame)(const uint8_t *bytes, size_t size, size_t maximum,
                                    struct frame *frame_r);
    /*
     * Takes a frame's text apart. Where the protocol names no host, the question is about the given
     * one; where its names come as people type them, the prepared one stands in user_r. The
     * question borrows from all three.
     */
    struct question (*understand)(const char *text, size_t length, const char *host,
                                  char user_r[PREPARED_NAME_SIZE]);
    /* Writes answer_size bytes. A protocol that has no word for try-again says no. */
    void (*encode)(enum answer answer, uint8_t *bytes_r);
};

/* One line, ended by LF (a CR before it is dropped); `1` or `0` and LF back. */
extern const struct protocol protocol_generic;

/* A length of two bytes, big-endian, then the text; 00 02 00 01 (yes), 00 02 00 00 (no) or 00 02 00
 * 02 (try again) back. */
extern const struct protocol protocol_ejabberd;

/*
 * Four fields, login, password, service and realm, each of two bytes of length, big-endian, and its
 * text; the lengths count towards the maximum. 00 02 and `OK` or `NO` back. Needs a host. Newer
 * clients send a fifth field, which can't be told from another request's first: so there is only
 * one.
 */
extern const struct protocol protocol_saslauthd;

/* The protocol of a connection whose first byte this is. */
const struct protocol *protocol_of_first_byte(uint8_t byte);

#endif
