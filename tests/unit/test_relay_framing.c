/* The relay's framing: where questions begin and end, what is refused unasked, and what is an
 * answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "relay/framing.h"

#define BYTES(text) (const uint8_t *)(text), sizeof(text) - 1

enum { STREAM_MAX = 80000 };

/* A stream under construction. */
static struct stream {
    uint8_t bytes[STREAM_MAX];
    size_t length;
} stream;

static void append(const void *bytes, size_t length)
{
    assert_true(stream.length + length <= sizeof(stream.bytes));
    memcpy(stream.bytes + stream.length, bytes, length);
    stream.length += length;
}

static void append_length_framed(const char *beginning, size_t length)
{
    const uint8_t header[] = {(uint8_t)(length >> 8), (uint8_t)length};
    size_t given = strlen(beginning);

    append(header, sizeof(header));
    append(beginning, given < length ? given : length);
    for (size_t i = given; i < length; i++)
        append("x", 1);
}

static void append_line(const char *beginning, size_t length, const char *end)
{
    append(beginning, strlen(beginning));
    for (size_t i = strlen(beginning); i < length; i++)
        append("x", 1);
    append(end, strlen(end));
}

/*
 * Feeds the stream in pieces through a buffer of the smallest size that is promised to do, as the
 * relay does, and notes what comes out: Q for a question, R for a refusal. The questions' bytes go
 * to asked.
 */
static void run(size_t piece, char *items, size_t items_size, struct stream *asked)
{
    struct relay_framer framer = {.framing = RELAY_FRAMING_UNKNOWN};
    uint8_t buffer[RELAY_QUESTION_MAX];
    size_t held = 0;
    size_t fed = 0;
    size_t count = 0;

    asked->length = 0;
    for (;;) {
        size_t used;
        enum relay_item item = relay_framer_next(&framer, buffer, held, &used);

        assert_true(used <= held);
        if (item != RELAY_ITEM_NONE) {
            assert_true(used > 0);
            assert_true(count + 1 < items_size);
            items[count++] = item == RELAY_ITEM_QUESTION ? 'Q' : 'R';
        }
        if (item == RELAY_ITEM_QUESTION) {
            memcpy(asked->bytes + asked->length, buffer, used);
            asked->length += used;
        }
        memmove(buffer, buffer + used, held - used);
        held -= used;
        if (item == RELAY_ITEM_NONE) {
            size_t room = sizeof(buffer) - held;
            size_t length = stream.length - fed < piece ? stream.length - fed : piece;

            if (length == 0)
                break;
            assert_true(room > 0);
            if (length > room)
                length = room;
            memcpy(buffer + held, stream.bytes + fed, length);
            held += length;
            fed += length;
        }
    }
    items[count] = '\0';
}

/* The same stream, however it is cut, gives the same items and asks the same bytes. */
static void assert_items(const char *expected, const void *asked_bytes, size_t asked_length)
{
    static const size_t pieces[] = {1, 2, 3, 7, 100, 8191, 8192, 8193, STREAM_MAX};
    static struct stream asked;
    char items[64];

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        run(pieces[i], items, sizeof(items), &asked);
        assert_string_equal(items, expected);
        assert_int_equal(asked.length, asked_length);
        assert_memory_equal(asked.bytes, asked_bytes, asked_length);
    }
    stream.length = 0;
}

/* A stream that is asked as it stands. */
static void assert_all_asked(const char *expected)
{
    static struct stream copy;

    copy = stream;
    assert_items(expected, copy.bytes, copy.length);
}

static void questions_are_passed_on_as_they_stand(void **state)
{
    (void)state;
    append_length_framed("auth:a:b:c", 10);
    append_length_framed("isuser:a:b", 10);
    append_length_framed("x", 1);
    assert_all_asked("QQQ");

    append(BYTES("auth:a:b:c\nisuser:a:b\r\nx\n"));
    assert_all_asked("QQQ");
}

static void texts_of_8191_bytes_are_the_longest(void **state)
{
    (void)state;
    append_length_framed("auth:", RELAY_TEXT_MAX);
    append_length_framed("auth:", RELAY_TEXT_MAX);
    assert_all_asked("QQ");

    append_line("auth:", RELAY_TEXT_MAX, "\n");
    append_line("auth:", RELAY_TEXT_MAX, "\r\n");
    append_line("auth:", RELAY_TEXT_MAX, "\n");
    assert_all_asked("QQQ");
}

static void longer_texts_are_refused_once_and_the_stream_goes_on(void **state)
{
    static const size_t lengths[] = {RELAY_TEXT_MAX + 1, RELAY_TEXT_MAX + 2, RELAY_TEXT_MAX + 3,
                                     16386, 65535};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        append(BYTES("\0\1a"));
        append_length_framed("auth:", lengths[i]);
        append(BYTES("\0\1b"));
        assert_items("QRQ", "\0\1a\0\1b", 6);

        append(BYTES("aa\n"));
        append_line("auth:", lengths[i], "\n");
        append(BYTES("bb\n"));
        assert_items("QRQ", "aa\nbb\n", 6);

        append(BYTES("aa\n"));
        append_line("auth:", lengths[i], "\r\n");
        append(BYTES("bb\n"));
        assert_items("QRQ", "aa\nbb\n", 6);
    }
}

static void what_the_daemon_would_misread_is_refused(void **state)
{
    (void)state;
    append(BYTES("\0\1a\0\0\0\1b"));
    assert_items("QRQ", "\0\1a\0\1b", 6);
    append(BYTES("aa\n\n\r\n\1auth:a:b:c\n\x1f\nbb\n"));
    assert_items("QRRRRQ", "aa\nbb\n", 6);
}

static void the_first_bytes_settle_the_framing(void **state)
{
    static const struct {
        const char *name;
        const uint8_t *bytes;
        size_t length;
        enum relay_framing framing;
    } rows[] = {
        {"no byte", BYTES(""), RELAY_FRAMING_UNKNOWN},
        {"a length below 256", BYTES("\0"), RELAY_FRAMING_LENGTH},
        {"the greatest length that is asked", BYTES("\x1f"), RELAY_FRAMING_LENGTH},
        {"LF is a length too", BYTES("\n"), RELAY_FRAMING_LENGTH},
        {"a letter, not yet enough", BYTES("a"), RELAY_FRAMING_UNKNOWN},
        {"two letters", BYTES("au"), RELAY_FRAMING_UNKNOWN},
        {"three letters that begin tryregister too", BYTES("aut"), RELAY_FRAMING_UNKNOWN},
        {"four letters of a line", BYTES("auth"), RELAY_FRAMING_LINE},
        {"a line of one letter", BYTES("a\n"), RELAY_FRAMING_LINE},
        {"a line of two", BYTES("ab\n"), RELAY_FRAMING_LINE},
        {"a high byte", BYTES("\xff\xff\xff"), RELAY_FRAMING_LINE},
        {"an overlong length, name unfinished", BYTES("\x20\0auth"), RELAY_FRAMING_UNKNOWN},
        {"an overlong length, auth", BYTES("\x20\0auth:"), RELAY_FRAMING_LENGTH},
        {"an overlong length, removeuser", BYTES("zzremoveuser:"), RELAY_FRAMING_LENGTH},
        {"an overlong length, removeuser3", BYTES("\xff\xffremoveuser3:"), RELAY_FRAMING_LENGTH},
        {"an unknown name", BYTES("\x20\0remover"), RELAY_FRAMING_LINE},
        {"a line that ends in an unfinished name", BYTES("ab\xC3\nauth:"), RELAY_FRAMING_LINE},
        {"an operation of a line", BYTES("removeuser3:a:b:c"), RELAY_FRAMING_LINE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct relay_framer framer = {.framing = RELAY_FRAMING_UNKNOWN};
        size_t used;

        relay_framer_next(&framer, rows[i].bytes, rows[i].length, &used);
        if (framer.framing != rows[i].framing)
            fail_msg("row: %s", rows[i].name);
    }
}

static void a_first_question_of_any_length_settles_length_framing(void **state)
{
    (void)state;
    for (size_t length = 6; length <= 65535; length = length * 3 / 2 + 1) {
        append_length_framed("auth:a:b:", length);
        append(BYTES("\0\1b"));
        if (length <= RELAY_TEXT_MAX)
            assert_all_asked("QQ");
        else
            assert_items("RQ", "\0\1b", 3);
    }
}

/* Against any bytes: nothing is used twice or left over, however they are cut. */
static void any_bytes_are_cut_the_same_way(void **state)
{
    (void)state;
    srandom(1);
    for (int round = 0; round < 3000; round++) {
        static struct stream whole, single;
        char items[2][2048];

        stream.length = (size_t)random() % 2000;
        for (size_t i = 0; i < stream.length; i++)
            stream.bytes[i] = (uint8_t)(random() % 4 == 0 ? "\n\r\0\1"[random() % 4] : random());
        run(STREAM_MAX, items[0], sizeof(items[0]), &whole);
        run(1 + (size_t)random() % 5, items[1], sizeof(items[1]), &single);
        assert_string_equal(items[0], items[1]);
        assert_int_equal(whole.length, single.length);
        assert_memory_equal(whole.bytes, single.bytes, whole.length);
    }
    stream.length = 0;
}

static void only_the_exact_bytes_are_an_answer(void **state)
{
    static const struct {
        enum relay_framing framing;
        const uint8_t *bytes;
        size_t length;
        enum relay_answer answer;
    } rows[] = {
        {RELAY_FRAMING_LENGTH, BYTES(""), RELAY_ANSWER_UNFINISHED},
        {RELAY_FRAMING_LENGTH, BYTES("\0"), RELAY_ANSWER_UNFINISHED},
        {RELAY_FRAMING_LENGTH, BYTES("\0\2"), RELAY_ANSWER_UNFINISHED},
        {RELAY_FRAMING_LENGTH, BYTES("\0\2\0"), RELAY_ANSWER_UNFINISHED},
        {RELAY_FRAMING_LENGTH, BYTES("\0\2\0\1"), RELAY_ANSWER_YES},
        {RELAY_FRAMING_LENGTH, BYTES("\0\2\0\0"), RELAY_ANSWER_NO},
        {RELAY_FRAMING_LENGTH, BYTES("\0\2\0\2"), RELAY_ANSWER_GARBAGE},
        {RELAY_FRAMING_LENGTH, BYTES("\0\2\0\1\0"), RELAY_ANSWER_GARBAGE},
        {RELAY_FRAMING_LENGTH, BYTES("\0\2\1"), RELAY_ANSWER_GARBAGE},
        {RELAY_FRAMING_LENGTH, BYTES("\0\1"), RELAY_ANSWER_GARBAGE},
        {RELAY_FRAMING_LENGTH, BYTES("1\n"), RELAY_ANSWER_GARBAGE},
        {RELAY_FRAMING_LINE, BYTES(""), RELAY_ANSWER_UNFINISHED},
        {RELAY_FRAMING_LINE, BYTES("1"), RELAY_ANSWER_UNFINISHED},
        {RELAY_FRAMING_LINE, BYTES("0"), RELAY_ANSWER_UNFINISHED},
        {RELAY_FRAMING_LINE, BYTES("1\n"), RELAY_ANSWER_YES},
        {RELAY_FRAMING_LINE, BYTES("0\n"), RELAY_ANSWER_NO},
        {RELAY_FRAMING_LINE, BYTES("1\r"), RELAY_ANSWER_GARBAGE},
        {RELAY_FRAMING_LINE, BYTES("11"), RELAY_ANSWER_GARBAGE},
        {RELAY_FRAMING_LINE, BYTES("1\n1"), RELAY_ANSWER_GARBAGE},
        {RELAY_FRAMING_LINE, BYTES("\n"), RELAY_ANSWER_GARBAGE},
        {RELAY_FRAMING_LINE, BYTES("\0\2\0\1"), RELAY_ANSWER_GARBAGE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (relay_answer_read(rows[i].framing, rows[i].bytes, rows[i].length) != rows[i].answer)
            fail_msg("row %zu", i);
}

static void what_is_written_is_what_is_read(void **state)
{
    (void)state;
    for (int framing = RELAY_FRAMING_LENGTH; framing <= RELAY_FRAMING_LINE; framing++) {
        for (int yes = 0; yes <= 1; yes++) {
            size_t length;
            const char *bytes = relay_answer_bytes((enum relay_framing)framing, yes == 1, &length);

            assert_int_equal(
                relay_answer_read((enum relay_framing)framing, (const uint8_t *)bytes, length),
                yes == 1 ? RELAY_ANSWER_YES : RELAY_ANSWER_NO);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_passed_on_as_they_stand),
        cmocka_unit_test(texts_of_8191_bytes_are_the_longest),
        cmocka_unit_test(longer_texts_are_refused_once_and_the_stream_goes_on),
        cmocka_unit_test(what_the_daemon_would_misread_is_refused),
        cmocka_unit_test(the_first_bytes_settle_the_framing),
        cmocka_unit_test(a_first_question_of_any_length_settles_length_framing),
        cmocka_unit_test(any_bytes_are_cut_the_same_way),
        cmocka_unit_test(only_the_exact_bytes_are_an_answer),
        cmocka_unit_test(what_is_written_is_what_is_read),
    };

    return cmocka_run_group_tests_name("relay/framing", tests, NULL, NULL);
}
