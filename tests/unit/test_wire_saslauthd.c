/* The saslauthd protocol: four fields to a question about one host, cut at every place. */
#include "vectors.h"

#include "wire/protocol.h"

#define HOST "example.org"

enum { BYTES_MAX = 4 * (2 + 65535) };

/* Adds a field; returns the size with it. */
static size_t add_field(uint8_t *bytes, size_t size, const char *text, size_t length)
{
    bytes[size] = (uint8_t)(length >> 8);
    bytes[size + 1] = (uint8_t)length;
    memcpy(bytes + size + 2, text, length);
    return size + 2 + length;
}

static enum frame_status find(const uint8_t *bytes, size_t size, size_t maximum,
                              struct frame *frame_r)
{
    uint8_t *exact = exact_copy(bytes, size);
    struct frame frame = {0};
    enum frame_status status = protocol_saslauthd.find_frame(exact, size, maximum, &frame);

    if (status == FRAME_COMPLETE) {
        expect(frame.text == (const char *)exact && frame.length == frame.size &&
                   frame.size <= size && frame.length <= maximum,
               "a frame of %zu in %zu bytes, at most %zu", frame.size, size, maximum);
        frame.text = (const char *)bytes;
        *frame_r = frame;
    }
    free(exact);
    return status;
}

static void answers_say_no_more_than_ok_and_no(void **state)
{
    static const char *const words[] = {
        [ANSWER_NO] = "\0\2NO", [ANSWER_YES] = "\0\2OK", [ANSWER_TRY_AGAIN] = "\0\2NO"};

    (void)state;
    assert_string_equal(protocol_saslauthd.word, "saslauthd");
    assert_int_equal(protocol_saslauthd.answer_size, 4);
    assert_true(protocol_saslauthd.asks_once);
    for (size_t i = 0; i < LENGTH_OF(words); i++) {
        uint8_t bytes[5] = {0, 0, 0, 0, 0xee};

        protocol_saslauthd.encode((enum answer)i, bytes);
        expect(memcmp(bytes, words[i], 4) == 0 && bytes[4] == 0xee, "row %zu", i);
    }
}

static void a_request_is_found_when_its_fourth_field_has_come_and_not_before(void **state)
{
    static const char *const fields[][5] = {
        {"alice", "token", "xmpp", "", NULL},
        {"alice", "token", "xmpp", "", "127.0.0.1;5222"},
        {"alice", "token", "xmpp", HOST, "\0\1x"},
        {"", "", "", "", NULL},
        {"", "", "", "", ""},
    };
    uint8_t bytes[256];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(fields); i++) {
        size_t size = 0, whole = 0;
        struct frame frame;

        for (int field = 0; field < 5 && fields[i][field] != NULL; field++) {
            size = add_field(bytes, size, fields[i][field], strlen(fields[i][field]));
            whole = field < 4 ? size : whole;
        }
        for (size_t come = 0; come < whole; come++)
            expect(find(bytes, come, 100, &frame) == FRAME_INCOMPLETE, "row %zu, %zu bytes", i,
                   come);
        for (size_t come = whole; come <= size; come++)
            expect(find(bytes, come, 100, &frame) == FRAME_COMPLETE && frame.size == whole,
                   "row %zu, %zu bytes", i, come);
    }
}

/* Whichever field is long: the maximum is for all of them with their lengths. */
static void what_is_too_long_is_refused_as_soon_as_its_length_is_there(void **state)
{
    static const size_t maximums[] = {128, 1000, REQUEST_MAX};
    static char text[65536];
    static uint8_t bytes[BYTES_MAX];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t m = 0; m < LENGTH_OF(maximums); m++) {
        for (int longest = 0; longest < 4; longest++) {
            for (size_t excess = 0; excess < 2; excess++) {
                size_t size = 0, told = 0;
                struct frame frame;

                for (int field = 0; field < 4; field++) {
                    size_t length = field == longest ? maximums[m] - 8 - 3 + excess : 1;

                    told = field == longest ? size + 2 : told;
                    size = add_field(bytes, size, text, length);
                }
                for (size_t come = 0; come < size && excess == 0; come++)
                    expect(find(bytes, come, maximums[m], &frame) == FRAME_INCOMPLETE,
                           "field %d, %zu bytes", longest, come);
                expect(find(bytes, size, maximums[m], &frame) ==
                           (excess == 0 ? FRAME_COMPLETE : FRAME_TOO_LONG),
                       "field %d", longest);
                if (excess == 0)
                    continue;
                /* The last of the fields that are there tells, at the latest. */
                expect(find(bytes, told - 1, maximums[m], &frame) == FRAME_INCOMPLETE, "field %d",
                       longest);
                expect(find(bytes, size - 1, maximums[m], &frame) == FRAME_TOO_LONG, "field %d",
                       longest);
            }
        }
    }
}

static void no_length_makes_the_daemon_wait_for_more_than_the_maximum(void **state)
{
    (void)state;
    for (size_t length = 0; length < 65536; length++) {
        const uint8_t bytes[2] = {(uint8_t)(length >> 8), (uint8_t)length};
        struct frame frame;

        expect(find(bytes, 2, REQUEST_MAX, &frame) ==
                   (length + 8 > REQUEST_MAX ? FRAME_TOO_LONG : FRAME_INCOMPLETE),
               "length %zu", length);
        expect(find(bytes, 1, REQUEST_MAX, &frame) == FRAME_INCOMPLETE, "length %zu", length);
    }
}

struct row {
    const char *name;
    const char *fields[4];
    size_t lengths[4]; /* 0: as long as the text */
    enum question_kind kind;
    const char *user; /* of an auth or unsupported question */
};

static struct question understand(const struct row *row, uint8_t **exact_r,
                                  char user[PREPARED_NAME_SIZE])
{
    uint8_t bytes[8192];
    struct frame frame;
    size_t size = 0;

    for (int field = 0; field < 4; field++) {
        size_t length = row->lengths[field];

        size = add_field(bytes, size, row->fields[field],
                         length > 0 ? length : strlen(row->fields[field]));
    }
    assert_int_equal(find(bytes, size, REQUEST_MAX, &frame), FRAME_COMPLETE);
    *exact_r = exact_copy(bytes, size);
    return protocol_saslauthd.understand((const char *)*exact_r, size, HOST, user);
}

static const struct row rows[] = {
    {.name = "a login",
     .fields = {"alice", "t", "xmpp", ""},
     .kind = QUESTION_AUTH,
     .user = "alice"},
    {.name = "the realm is the host",
     .fields = {"alice", "t", "xmpp", HOST},
     .kind = QUESTION_AUTH,
     .user = "alice"},
    {.name = "upper case",
     .fields = {"ALICE", "t", "", ""},
     .kind = QUESTION_AUTH,
     .user = "alice"},
    {.name = "no password",
     .fields = {"alice", "", "xmpp", ""},
     .kind = QUESTION_AUTH,
     .user = "alice"},
    {.name = "a service of any name",
     .fields = {"alice", "t", "a:b/c@d e", ""},
     .kind = QUESTION_AUTH,
     .user = "alice"},
    {.name = "a password of any shape",
     .fields = {"alice", ":@/ \xff\xc3\xa9", "", ""},
     .kind = QUESTION_AUTH,
     .user = "alice"},
    {.name = "another realm",
     .fields = {"alice", "t", "xmpp", "other.org"},
     .kind = QUESTION_UNSUPPORTED,
     .user = "alice"},
    {.name = "the host in upper case",
     .fields = {"alice", "t", "xmpp", "Example.org"},
     .kind = QUESTION_UNSUPPORTED,
     .user = "alice"},
    {.name = "a realm that begins like the host",
     .fields = {"alice", "t", "xmpp", "example.orgs"},
     .kind = QUESTION_UNSUPPORTED,
     .user = "alice"},
    {.name = "a realm that the host begins like",
     .fields = {"alice", "t", "xmpp", "example.or"},
     .kind = QUESTION_UNSUPPORTED,
     .user = "alice"},
    {.name = "a realm that ends early by a NUL",
     .fields = {"alice", "t", "xmpp", HOST "\0x"},
     .lengths = {0, 0, 0, sizeof(HOST) + 1},
     .kind = QUESTION_MALFORMED},
    {.name = "a realm with a port",
     .fields = {"alice", "t", "xmpp", HOST ":1"},
     .kind = QUESTION_MALFORMED},
    {.name = "a realm with @",
     .fields = {"alice", "t", "xmpp", "a@" HOST},
     .kind = QUESTION_MALFORMED},
    {.name = "a realm with /",
     .fields = {"alice", "t", "xmpp", HOST "/a"},
     .kind = QUESTION_MALFORMED},
    {.name = "no login", .fields = {"", "t", "xmpp", ""}, .kind = QUESTION_MALFORMED},
    {.name = "no login, and another realm",
     .fields = {"", "t", "", "other.org"},
     .kind = QUESTION_MALFORMED},
    {.name = "nothing at all", .fields = {"", "", "", ""}, .kind = QUESTION_MALFORMED},
    {.name = "a login with the host",
     .fields = {"alice@" HOST, "t", "", ""},
     .kind = QUESTION_MALFORMED},
    {.name = "a login with @ alone", .fields = {"@", "t", "", ""}, .kind = QUESTION_MALFORMED},
    {.name = "a login with a second @",
     .fields = {"alice@admin", "t", "", HOST},
     .kind = QUESTION_MALFORMED},
    {.name = "a login with a resource",
     .fields = {"alice/x", "t", "", ""},
     .kind = QUESTION_MALFORMED},
    {.name = "a login with a colon",
     .fields = {"alice:x", "t", "", ""},
     .kind = QUESTION_MALFORMED},
    {.name = "a login with a blank", .fields = {" alice", "t", "", ""}, .kind = QUESTION_MALFORMED},
    {.name = "a login that ends early by a NUL",
     .fields = {"admin\0x", "t", "", ""},
     .lengths = {7},
     .kind = QUESTION_MALFORMED},
    {.name = "a NUL in the password",
     .fields = {"alice", "t\0x", "", ""},
     .lengths = {0, 3},
     .kind = QUESTION_MALFORMED},
    {.name = "a line end in the password",
     .fields = {"alice", "t\n", "", ""},
     .kind = QUESTION_MALFORMED},
    {.name = "a control byte in the service",
     .fields = {"alice", "t", "x\x1f", ""},
     .kind = QUESTION_MALFORMED},
    {.name = "delete in the realm",
     .fields = {"alice", "t", "x", "\x7f"},
     .kind = QUESTION_MALFORMED},
    {.name = "a login that is no UTF-8",
     .fields = {"al\xffice", "t", "", ""},
     .kind = QUESTION_MALFORMED},
#ifdef HAVE_ICU
    {.name = "sharp s",
     .fields = {"stra\xc3\x9f"
                "e",
                "t", "", ""},
     .kind = QUESTION_AUTH,
     .user = "strasse"},
    {.name = "a full-width at",
     .fields = {"alice\xef\xbc\xa0x", "t", "", ""},
     .kind = QUESTION_MALFORMED},
#else
    {.name = "beyond ASCII",
     .fields = {"stra\xc3\x9f"
                "e",
                "t", "", ""},
     .kind = QUESTION_MALFORMED},
#endif
};

static bool is(const char *text, size_t length, const char *expected)
{
    return length == strlen(expected) && memcmp(text, expected, length) == 0;
}

static void fields_become_a_question_about_the_listeners_host(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const struct row *row = &rows[i];
        bool is_known = row->kind == QUESTION_AUTH;
        char user[PREPARED_NAME_SIZE];
        uint8_t *exact;
        struct question question = understand(row, &exact, user);

        expect(question.kind == row->kind, "%s: kind %d", row->name, (int)question.kind);
        expect(is(question.user, question.user_length, row->user == NULL ? "" : row->user), "%s",
               row->name);
        expect(is(question.host, question.host_length,
                  row->user == NULL ? ""
                  : is_known        ? HOST
                                    : row->fields[3]),
               "%s", row->name);
        expect(is(question.password, question.password_length,
                  row->user != NULL ? row->fields[1] : ""),
               "%s", row->name);
        free(exact);
    }
}

/* Whatever comes, only what is pinned to the host is ever a login. */
static void random_requests_are_understood_or_refused(void **state)
{
    static const char alphabet[] = "alice@example.org/:\0\n\x7f\xc3\xa9 AZ";
    uint64_t random = 5;
    size_t logins = 0, others = 0;

    (void)state;
    for (int round = 0; round < 50000; round++) {
        char texts[4][16], user[PREPARED_NAME_SIZE];
        struct row row = {.name = "random"};
        struct question question;
        uint8_t *exact;

        for (int field = 0; field < 4; field++) {
            row.fields[field] = texts[field];
            row.lengths[field] = 1 + random_below(&random, 12);
            for (size_t i = 0; i < row.lengths[field]; i++)
                texts[field][i] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
        }
        if (round % 2 == 0) {
            row.lengths[3] = sizeof(HOST) - 1;
            memcpy(texts[3], HOST, sizeof(HOST));
        }
        question = understand(&row, &exact, user);
        if (question.kind == QUESTION_AUTH) {
            expect(is(question.host, question.host_length, HOST) && question.user_length > 0 &&
                       strcspn(user, "@/: ") == question.user_length,
                   "round %d", round);
            logins++;
        } else {
            others++;
        }
        free(exact);
    }
    assert_true(logins > 100 && others > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_say_no_more_than_ok_and_no),
        cmocka_unit_test(a_request_is_found_when_its_fourth_field_has_come_and_not_before),
        cmocka_unit_test(what_is_too_long_is_refused_as_soon_as_its_length_is_there),
        cmocka_unit_test(no_length_makes_the_daemon_wait_for_more_than_the_maximum),
        cmocka_unit_test(fields_become_a_question_about_the_listeners_host),
        cmocka_unit_test(random_requests_are_understood_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
