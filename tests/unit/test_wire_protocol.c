/* The framings: bytes to requests, answers to bytes, cut at every place. */
#include "vectors.h"

#include "wire/protocol.h"
#include "wire/question.h"

static const size_t maximums[] = {1, 2, 3, 17, 255, 256, 257, 4096, 8190, 8191};

/* Looks for a frame in exactly size bytes; the text must lie within them. */
static enum frame_status find(const struct protocol *protocol, const uint8_t *bytes, size_t size,
                              size_t maximum, struct frame *frame_r)
{
    uint8_t *exact = exact_copy(bytes, size);
    struct frame frame = {0};
    enum frame_status status = protocol->find_frame(exact, size, maximum, &frame);

    if (status == FRAME_COMPLETE) {
        size_t offset = (size_t)((const uint8_t *)frame.text - exact);

        expect(offset + frame.length <= size && frame.size <= size && frame.length <= maximum,
               "%s: %zu bytes at %zu, frame of %zu, in %zu bytes, at most %zu", protocol->word,
               frame.length, offset, frame.size, size, maximum);
        frame.text = (const char *)bytes + offset;
        *frame_r = frame;
    }
    free(exact);
    return status;
}

static void the_first_byte_tells_the_protocols_apart(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++)
        expect(protocol_of_first_byte((uint8_t)byte) ==
                   (byte < 0x20 ? &protocol_ejabberd : &protocol_generic),
               "byte %02x", byte);
    /* Every length that a request can have begins below, every command above. */
    assert_true(REQUEST_MAX >> 8 < 0x20);
}

static void protocols_have_their_words(void **state)
{
    (void)state;
    assert_string_equal(protocol_generic.word, "generic");
    assert_string_equal(protocol_ejabberd.word, "ejabberd");
}

static void answers_are_encoded(void **state)
{
    static const struct {
        const struct protocol *protocol;
        enum answer answer;
        const char *bytes;
        size_t size;
    } rows[] = {
        {&protocol_generic, ANSWER_NO, "0\n", 2},
        {&protocol_generic, ANSWER_YES, "1\n", 2},
        {&protocol_generic, ANSWER_TRY_AGAIN, "0\n", 2},
        {&protocol_ejabberd, ANSWER_NO, "\0\2\0\0", 4},
        {&protocol_ejabberd, ANSWER_YES, "\0\2\0\1", 4},
        {&protocol_ejabberd, ANSWER_TRY_AGAIN, "\0\2\0\2", 4},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        uint8_t bytes[ANSWER_SIZE_MAX + 1];

        memset(bytes, 0xee, sizeof(bytes));
        expect(rows[i].protocol->answer_size == rows[i].size, "row %zu", i);
        assert_true(rows[i].size <= ANSWER_SIZE_MAX);
        rows[i].protocol->encode(rows[i].answer, bytes);
        expect(memcmp(bytes, rows[i].bytes, rows[i].size) == 0, "row %zu", i);
        expect(bytes[rows[i].size] == 0xee, "row %zu writes too much", i);
    }
}

/* A request of length bytes of text with an ending, as bytes; returns their number. */
static size_t line_of(size_t length, const char *ending, uint8_t *bytes_r)
{
    memset(bytes_r, 'q', length);
    return length + copy_text((char *)bytes_r + length, ending);
}

static void a_line_is_found_when_its_end_has_come_and_not_before(void **state)
{
    static const char *const endings[] = {"\n", "\r\n"};
    static uint8_t bytes[REQUEST_MAX + 16];

    (void)state;
    for (size_t m = 0; m < LENGTH_OF(maximums); m++) {
        size_t maximum = maximums[m];
        const size_t lengths[] = {0, 1, maximum / 2, maximum - 1, maximum};

        for (size_t i = 0; i < LENGTH_OF(lengths) * LENGTH_OF(endings); i++) {
            size_t length = lengths[i / LENGTH_OF(endings)];
            size_t size = line_of(length, endings[i % LENGTH_OF(endings)], bytes);
            struct frame frame;

            for (size_t come = 0; come < size; come++)
                expect(find(&protocol_generic, bytes, come, maximum, &frame) == FRAME_INCOMPLETE,
                       "maximum %zu, line of %zu and %zu, %zu have come", maximum, length,
                       size - length, come);
            expect(find(&protocol_generic, bytes, size, maximum, &frame) == FRAME_COMPLETE,
                   "maximum %zu, line of %zu and %zu", maximum, length, size - length);
            expect(frame.text == (const char *)bytes && frame.length == length &&
                       frame.size == size,
                   "maximum %zu, line of %zu and %zu", maximum, length, size - length);
        }
    }
}

/* It is refused at its end at the latest, and without an end as soon as the longest line with CR
 * and LF would have been over: a peer can't make the daemon keep more. */
static void a_line_that_is_too_long_is_refused_and_never_waited_for(void **state)
{
    static const char *const endings[] = {"", "\n", "\r\n"};
    static uint8_t bytes[2 * REQUEST_MAX];

    (void)state;
    for (size_t m = 0; m < LENGTH_OF(maximums); m++) {
        size_t maximum = maximums[m];

        for (size_t length = maximum + 1; length < maximum + 6; length++) {
            for (size_t i = 0; i < LENGTH_OF(endings); i++) {
                size_t size = line_of(length, endings[i], bytes);
                struct frame frame;

                for (size_t come = 0; come <= size; come++) {
                    enum frame_status status =
                        find(&protocol_generic, bytes, come, maximum, &frame);
                    bool must = come >= maximum + 2;
                    bool may = come >= maximum + 1;

                    expect(status != FRAME_COMPLETE, "maximum %zu, length %zu, %zu have come",
                           maximum, length, come);
                    expect(!must || status == FRAME_TOO_LONG,
                           "maximum %zu, length %zu, %zu have come", maximum, length, come);
                    expect(may || status == FRAME_INCOMPLETE,
                           "maximum %zu, length %zu, %zu have come", maximum, length, come);
                }
            }
        }
    }
}

static void only_one_carriage_return_right_before_the_end_is_dropped(void **state)
{
    static const struct {
        const char *bytes;
        size_t size, length, frame;
    } rows[] = {
        {"\n", 1, 0, 1},
        {"\r\n", 2, 0, 2},
        {"\r\r\n", 3, 1, 3},
        {"a\r\n", 3, 1, 3},
        {"a\r\r\n", 4, 2, 4},
        {"a\rb\n", 4, 3, 4},
        {"\ra\n", 3, 2, 3},
        {"a\0b\n", 4, 3, 4},
        {"\0\n", 2, 1, 2},
        {"a\n\r\n", 4, 1, 2},
        {"a\nb\n", 4, 1, 2},
        {"\n\n", 2, 0, 1},
        {"a\r\nb\r\n", 6, 1, 3},
        {"\xff\xfe\n", 3, 2, 3},
        {"a\x85\n", 3, 2, 3},
        {"a \n", 3, 2, 3},
        {"a\xe2\x80\xa8\n", 5, 4, 5},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct frame frame;

        expect(find(&protocol_generic, (const uint8_t *)rows[i].bytes, rows[i].size, 100, &frame) ==
                   FRAME_COMPLETE,
               "row %zu", i);
        expect(frame.length == rows[i].length && frame.size == rows[i].frame,
               "row %zu: text of %zu, frame of %zu", i, frame.length, frame.size);
    }
}

static void a_length_frame_is_found_when_all_of_it_has_come_and_not_before(void **state)
{
    static uint8_t bytes[REQUEST_MAX + 16];

    (void)state;
    for (size_t m = 0; m < LENGTH_OF(maximums); m++) {
        size_t maximum = maximums[m];
        const size_t lengths[] = {0, 1, maximum / 2, maximum - 1, maximum};

        for (size_t i = 0; i < LENGTH_OF(lengths); i++) {
            size_t length = lengths[i];
            struct frame frame;

            bytes[0] = (uint8_t)(length >> 8);
            bytes[1] = (uint8_t)length;
            /* Bytes that end a line or begin another length are only bytes here. */
            for (size_t at = 0; at < length; at++)
                bytes[2 + at] = (uint8_t) "\n\r\0\2q"[at % 5];
            for (size_t come = 0; come < 2 + length; come++)
                expect(find(&protocol_ejabberd, bytes, come, maximum, &frame) == FRAME_INCOMPLETE,
                       "maximum %zu, length %zu, %zu have come", maximum, length, come);
            for (size_t more = 0; more < 3; more++) {
                expect(find(&protocol_ejabberd, bytes, 2 + length + more, maximum, &frame) ==
                           FRAME_COMPLETE,
                       "maximum %zu, length %zu", maximum, length);
                expect(frame.text == (const char *)bytes + 2 && frame.length == length &&
                           frame.size == 2 + length,
                       "maximum %zu, length %zu", maximum, length);
            }
        }
    }
}

static void every_length_is_read_big_endian_and_held_to_the_maximum(void **state)
{
    (void)state;
    for (size_t length = 0; length < 65536; length++) {
        const uint8_t bytes[3] = {(uint8_t)(length >> 8), (uint8_t)length, 'q'};

        for (size_t m = 0; m < LENGTH_OF(maximums); m++) {
            enum frame_status expected = length > maximums[m] ? FRAME_TOO_LONG
                                         : length <= 1        ? FRAME_COMPLETE
                                                              : FRAME_INCOMPLETE;
            struct frame frame;

            expect(find(&protocol_ejabberd, bytes, 3, maximums[m], &frame) == expected,
                   "maximum %zu, length %zu", maximums[m], length);
            /* One byte tells nothing yet. */
            expect(find(&protocol_ejabberd, bytes, 1, maximums[m], &frame) == FRAME_INCOMPLETE,
                   "maximum %zu, length %zu", maximums[m], length);
        }
    }
}

/* Many requests in one stream, handed over in pieces that are cut at every place. */
static void a_stream_cut_anywhere_gives_the_same_requests(void **state)
{
    static const char *const texts[] = {"auth:alice:example.org:1", "",    "x", "isuser:bob:h",
                                        "features:tryagain",        "q\rr"};
    static const struct protocol *const protocols[] = {&protocol_generic, &protocol_ejabberd};

    (void)state;
    for (size_t p = 0; p < LENGTH_OF(protocols); p++) {
        uint8_t stream[512];
        size_t size = 0;

        for (size_t i = 0; i < LENGTH_OF(texts); i++) {
            size_t length = strlen(texts[i]);

            if (p == 1) {
                stream[size++] = 0;
                stream[size++] = (uint8_t)length;
            }
            memcpy(stream + size, texts[i], length);
            size += length;
            if (p == 0) {
                if (i % 2 == 0)
                    stream[size++] = '\r';
                stream[size++] = '\n';
            }
        }
        for (size_t first = 0; first <= size; first++) {
            for (size_t second = first; second <= size; second++) {
                const size_t cuts[] = {first, second, size};
                size_t done = 0, found = 0;

                for (size_t cut = 0; cut < LENGTH_OF(cuts); cut++) {
                    struct frame frame;

                    while (find(protocols[p], stream + done, cuts[cut] - done, 100, &frame) ==
                           FRAME_COMPLETE) {
                        expect(found < LENGTH_OF(texts), "%s: one too many", protocols[p]->word);
                        expect(frame.length == strlen(texts[found]) &&
                                   memcmp(frame.text, texts[found], frame.length) == 0,
                               "%s: cut at %zu and %zu, request %zu", protocols[p]->word, first,
                               second, found);
                        done += frame.size;
                        found++;
                    }
                }
                expect(found == LENGTH_OF(texts) && done == size, "%s: cut at %zu and %zu: %zu",
                       protocols[p]->word, first, second, found);
            }
        }
    }
}

/* Whatever comes, a frame lies within what has come (find() looks), and something is taken. */
static void random_bytes_are_framed_or_refused(void **state)
{
    static const struct protocol *const protocols[] = {&protocol_generic, &protocol_ejabberd};
    uint64_t random = 29;
    size_t complete = 0, too_long = 0, incomplete = 0;

    (void)state;
    for (int round = 0; round < 100000; round++) {
        const struct protocol *protocol = protocols[round % 2];
        size_t size = random_below(&random, 60), maximum = 1 + random_below(&random, 40);
        uint8_t bytes[60];
        struct frame frame;

        for (size_t i = 0; i < size; i++)
            bytes[i] = random_below(&random, 4) == 0 ? (uint8_t) "\n\r\0\1"[i % 4]
                                                     : (uint8_t)random_next(&random);
        switch (find(protocol, bytes, size, maximum, &frame)) {
        case FRAME_COMPLETE:
            expect(frame.size > 0, "round %d", round);
            complete++;
            break;
        case FRAME_TOO_LONG:
            too_long++;
            break;
        case FRAME_INCOMPLETE:
            expect(size < maximum + REQUEST_OVERHEAD_MAX, "round %d", round);
            incomplete++;
            break;
        }
    }
    assert_true(complete > 1000 && too_long > 1000 && incomplete > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_byte_tells_the_protocols_apart),
        cmocka_unit_test(protocols_have_their_words),
        cmocka_unit_test(answers_are_encoded),
        cmocka_unit_test(a_line_is_found_when_its_end_has_come_and_not_before),
        cmocka_unit_test(a_line_that_is_too_long_is_refused_and_never_waited_for),
        cmocka_unit_test(only_one_carriage_return_right_before_the_end_is_dropped),
        cmocka_unit_test(a_length_frame_is_found_when_all_of_it_has_come_and_not_before),
        cmocka_unit_test(every_length_is_read_big_endian_and_held_to_the_maximum),
        cmocka_unit_test(a_stream_cut_anywhere_gives_the_same_requests),
        cmocka_unit_test(random_bytes_are_framed_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
