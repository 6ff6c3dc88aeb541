#include "wire/protocol.h"

#include <string.h>

enum field { FIELD_LOGIN, FIELD_PASSWORD, FIELD_SERVICE, FIELD_REALM, FIELD_COUNT };

struct stretch {
    const char *text;
    size_t length;
};

static size_t length_at(const uint8_t *bytes)
{
    return (size_t)bytes[0] << 8 | bytes[1];
}

/* The lengths count towards the maximum, those that are still to come too. */
static enum frame_status saslauthd_find_frame(const uint8_t *bytes, size_t size, size_t maximum,
                                              struct frame *frame_r)
{
    size_t at = 0;

    for (int field = 0; field < FIELD_COUNT; field++) {
        size_t lengths_to_come = 2 * (size_t)(FIELD_COUNT - 1 - field);

        if (size - at < 2)
            return FRAME_INCOMPLETE;
        if (at + 2 + length_at(bytes + at) + lengths_to_come > maximum)
            return FRAME_TOO_LONG;
        if (size - at - 2 < length_at(bytes + at))
            return FRAME_INCOMPLETE;
        at += 2 + length_at(bytes + at);
    }
    frame_r->text = (const char *)bytes;
    frame_r->length = at;
    frame_r->size = at;
    return FRAME_COMPLETE;
}

static void split(const char *text, struct stretch fields_r[FIELD_COUNT])
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        fields_r[field].text = text + 2;
        fields_r[field].length = length_at((const uint8_t *)text);
        text += 2 + fields_r[field].length;
    }
}

static bool is_host(const struct stretch *realm, const char *host)
{
    return realm->length == strlen(host) && memcmp(realm->text, host, realm->length) == 0;
}

/* Never answered yes, also where the realm is a host that is served; the log shows which it was. */
static struct question about_another_realm(struct question question, const struct stretch *realm)
{
    question.kind = QUESTION_UNSUPPORTED;
    question.host = realm->text;
    question.host_length = realm->length;
    return question_is_well_formed(&question) ? question : question_malformed;
}

static struct question saslauthd_understand(const char *text, size_t length, const char *host,
                                            char user_r[PREPARED_NAME_SIZE])
{
    struct stretch fields[FIELD_COUNT];
    const struct stretch *login = &fields[FIELD_LOGIN];
    const struct stretch *realm = &fields[FIELD_REALM];
    struct question question = {.kind = QUESTION_AUTH, .user = user_r, .host = host};

    (void)length;
    split(text, fields);
    for (int field = 0; field < FIELD_COUNT; field++) {
        if (question_has_control_bytes(fields[field].text, fields[field].length))
            return question_malformed;
    }
    if (prepared_user(login->text, login->length, user_r) != NAME_IS_RIGHT)
        return question_malformed;
    question.user_length = strlen(user_r);
    question.host_length = strlen(host);
    question.password = fields[FIELD_PASSWORD].text;
    question.password_length = fields[FIELD_PASSWORD].length;
    if (realm->length > 0 && !is_host(realm, host))
        return about_another_realm(question, realm);
    return question;
}

static void saslauthd_encode(enum answer answer, uint8_t *bytes_r)
{
    const char *word = answer == ANSWER_YES ? "OK" : "NO";

    bytes_r[0] = 0;
    bytes_r[1] = 2;
    bytes_r[2] = (uint8_t)word[0];
    bytes_r[3] = (uint8_t)word[1];
}

const struct protocol protocol_saslauthd = {
    .word = "saslauthd",
    .answer_size = 4,
    .asks_once = true,
    .find_frame = saslauthd_find_frame,
    .understand = saslauthd_understand,
    .encode = saslauthd_encode,
};
