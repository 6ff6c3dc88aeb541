#include "dialects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

static ssize_t size_of(int printed)
{
    return printed > 0 && printed < DIALECT_QUESTION_MAX ? printed : 0;
}

static void write_length(uint8_t *place_r, size_t length)
{
    place_r[0] = (uint8_t)(length >> 8);
    place_r[1] = (uint8_t)length;
}

static size_t ask_generic(uint8_t *place_r, const struct login *login, uint32_t number)
{
    (void)number;
    return (size_t)size_of(snprintf((char *)place_r, DIALECT_QUESTION_MAX, "auth:%s:%s:%s\n",
                                    login->user, login->host, login->password));
}

static ssize_t hear_generic(const uint8_t *bytes, size_t size, struct answer *answer_r)
{
    if (size < 2)
        return 0;
    answer_r->kind = bytes[0] == '1' ? ANSWER_YES : ANSWER_NO;
    return (bytes[0] == '1' || bytes[0] == '0') && bytes[1] == '\n' ? 2 : -1;
}

static size_t ask_ejabberd(uint8_t *place_r, const struct login *login, uint32_t number)
{
    size_t length;

    (void)number;
    length = (size_t)size_of(snprintf((char *)place_r + 2, DIALECT_QUESTION_MAX - 2,
                                      "auth:%s:%s:%s", login->user, login->host, login->password));
    write_length(place_r, length);
    return length == 0 ? 0 : length + 2;
}

static ssize_t hear_ejabberd(const uint8_t *bytes, size_t size, struct answer *answer_r)
{
    if (size < 4)
        return 0;
    answer_r->kind = bytes[3] == 1 ? ANSWER_YES : ANSWER_NO;
    return memcmp(bytes, "\0\2\0", 3) == 0 && bytes[3] <= 1 ? 4 : -1;
}

/* User, password, service and realm, each behind its length. */
static size_t ask_saslauthd(uint8_t *place_r, const struct login *login, uint32_t number)
{
    const char *fields[] = {login->user, login->password, "bench", login->host};
    size_t size = 0;

    (void)number;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t length = strlen(fields[i]);

        if (size + 2 + length > DIALECT_QUESTION_MAX)
            return 0;
        write_length(place_r + size, length);
        memcpy(place_r + size + 2, fields[i], length);
        size += 2 + length;
    }
    return size;
}

static ssize_t hear_saslauthd(const uint8_t *bytes, size_t size, struct answer *answer_r)
{
    size_t length = size < 2 ? 0 : (size_t)bytes[0] << 8 | bytes[1];

    if (size < 2 || size < length + 2)
        return 0;
    if (length < 2)
        return -1;
    answer_r->kind = memcmp(bytes + 2, "OK", 2) == 0 ? ANSWER_YES : ANSWER_NO;
    return (ssize_t)length + 2;
}

/* Dovecot wants a process id of each connection that no other has. */
static size_t greet_dovecot(uint8_t *place_r, size_t index)
{
    return (size_t)size_of(snprintf((char *)place_r, DIALECT_QUESTION_MAX,
                                    "VERSION\t1\t2\nCPID\t%zu\n", (size_t)getpid() + index));
}

static size_t ask_dovecot(uint8_t *place_r, const struct login *login, uint32_t number)
{
    char plain[DIALECT_QUESTION_MAX / 2];
    unsigned char encoded[DIALECT_QUESTION_MAX];
    int length = snprintf(plain, sizeof(plain), "%c%s@%s%c%s", '\0', login->user, login->host, '\0',
                          login->password);

    if (length < 0 || length >= (int)sizeof(plain))
        return 0;
    EVP_EncodeBlock(encoded, (const unsigned char *)plain, length);
    return (size_t)size_of(snprintf((char *)place_r, DIALECT_QUESTION_MAX,
                                    "AUTH\t%u\tPLAIN\tservice=bench\tsecured\tresp=%s\n", number,
                                    (const char *)encoded));
}

static bool begins(const uint8_t *line, size_t size, const char *word)
{
    size_t length = strlen(word);

    return size > length && memcmp(line, word, length) == 0;
}

static ssize_t hear_dovecot(const uint8_t *bytes, size_t size, struct answer *answer_r)
{
    const uint8_t *end = memchr(bytes, '\n', size);
    size_t length;

    if (end == NULL)
        return 0;
    length = (size_t)(end - bytes) + 1;
    if (begins(bytes, length, "OK\t"))
        *answer_r =
            (struct answer){ANSWER_YES, (uint32_t)strtoul((const char *)bytes + 3, NULL, 10)};
    else if (begins(bytes, length, "FAIL\t"))
        *answer_r =
            (struct answer){ANSWER_NO, (uint32_t)strtoul((const char *)bytes + 5, NULL, 10)};
    else
        answer_r->kind = ANSWER_NONE; /* its own greeting */
    return begins(bytes, length, "CONT\t") ? -1 : (ssize_t)length;
}

const struct dialect *dialect_find(const char *word)
{
    static const struct dialect dialects[] = {
        {"generic", false, NULL, ask_generic, hear_generic},
        {"ejabberd", false, NULL, ask_ejabberd, hear_ejabberd},
        {"saslauthd", true, NULL, ask_saslauthd, hear_saslauthd},
        {"dovecot", false, greet_dovecot, ask_dovecot, hear_dovecot},
    };

    for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++) {
        if (strcmp(dialects[i].word, word) == 0)
            return &dialects[i];
    }
    return NULL;
}
