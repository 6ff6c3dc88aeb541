#include "framing.h"

#include <stdbool.h>
#include <string.h>

#include "choices.h"
#include "expect.h"
#include "wire/question.h"

static const char pinned[] = "example.org";

static bool is_within(const char *field, size_t length, const char *text, size_t size)
{
    return length == 0 || (field >= text && field + length <= text + size);
}

static void expect_within(const char *field, size_t length, const struct frame *frame)
{
    EXPECT(is_within(field, length, frame->text, frame->length));
}

static void expect_plain(const char *field, size_t length, const char *forbidden)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)field[i];

        EXPECT(byte >= 0x20 && byte != 0x7f);
        EXPECT(strchr(forbidden, byte) == NULL);
    }
}

/* A protocol that names no host asks about the listener's, and prepares the user. */
static void check_names(const struct protocol *protocol, const struct question *question,
                        const char user[PREPARED_NAME_SIZE], const struct frame *frame)
{
    if (protocol != &protocol_saslauthd || question->kind != QUESTION_AUTH)
        expect_within(question->host, question->host_length, frame);
    else
        EXPECT(question->host == pinned && question->host_length == sizeof(pinned) - 1);
    if (protocol != &protocol_saslauthd || question->kind == QUESTION_MALFORMED) {
        expect_within(question->user, question->user_length, frame);
        return;
    }
    EXPECT(question->user == user && question->user_length < PREPARED_NAME_SIZE);
    expect_plain(user, question->user_length, " \"&'<>");
}

static void check_question(const struct protocol *protocol, const struct frame *frame)
{
    char user[PREPARED_NAME_SIZE];
    struct question question = protocol->understand(frame->text, frame->length, pinned, user);

    check_names(protocol, &question, user, frame);
    expect_within(question.password, question.password_length, frame);
    if (question.kind == QUESTION_MALFORMED || question.kind == QUESTION_TRY_AGAIN) {
        EXPECT(question.user_length + question.host_length + question.password_length == 0);
        return;
    }
    EXPECT(question.user_length > 0 && question.host_length > 0);
    expect_plain(question.user, question.user_length, "@/:");
    expect_plain(question.host, question.host_length, "@/:");
    expect_plain(question.password, question.password_length, "");
    EXPECT(question.kind == QUESTION_UNSUPPORTED || protocol == &protocol_saslauthd ||
           (question.kind == QUESTION_AUTH) == (memcmp(frame->text, "auth:", 5) == 0));
}

/* A part of the bytes: incomplete, or the same frame; too long only where the whole is. */
static void check_part(const struct protocol *protocol, const uint8_t *bytes, size_t part,
                       size_t maximum, enum frame_status whole, const struct frame *frame)
{
    uint8_t *copy = malloc(part > 0 ? part : 1);
    struct frame found;
    enum frame_status status;

    EXPECT(copy != NULL);
    memcpy(copy, bytes, part);
    status = protocol->find_frame(copy, part, maximum, &found);
    EXPECT(status == FRAME_INCOMPLETE || status == whole);
    if (status == FRAME_COMPLETE) {
        EXPECT(found.size == frame->size && found.length == frame->length);
        check_question(protocol, &found);
    }
    if (whole == FRAME_COMPLETE)
        EXPECT((status == FRAME_COMPLETE) == (part >= frame->size));
    free(copy);
}

void fuzz_framing(const struct protocol *protocol, const uint8_t *data, size_t size)
{
    struct choices choices = {data, size};
    size_t maximum = choose(&choices, 2) == 0 ? REQUEST_MAX : 128 + choose(&choices, 256);

    while (choices.size > 0) {
        struct frame frame;
        enum frame_status status =
            protocol->find_frame(choices.bytes, choices.size, maximum, &frame);

        check_part(protocol, choices.bytes, choices.size / 2, maximum, status, &frame);
        check_part(protocol, choices.bytes, choices.size - 1, maximum, status, &frame);
        if (status != FRAME_COMPLETE)
            return;
        EXPECT(frame.length <= maximum && frame.size <= choices.size);
        check_part(protocol, choices.bytes, frame.size, maximum, status, &frame);
        choices.bytes += frame.size;
        choices.size -= frame.size;
    }
}
