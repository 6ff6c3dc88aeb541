/* What a chat server asks, taken apart: every shape, every byte. */
#include "vectors.h"

#include "wire/question.h"

static bool field_is(const char *field, size_t length, const char *expected)
{
    return length == strlen(expected) && memcmp(field, expected, length) == 0;
}

static bool is_malformed(const char *text, size_t length)
{
    char *exact = exact_copy(text, length);
    struct question question = question_parse(exact, length);
    bool malformed = question.kind == QUESTION_MALFORMED;

    if (malformed)
        expect(question.user_length == 0 && question.host_length == 0 &&
                   question.password_length == 0,
               "'%.*s' is malformed and has fields", (int)length, text);
    free(exact);
    return malformed;
}

static void questions_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        enum question_kind kind;
        const char *user, *host, *password;
    } rows[] = {
        {"auth:alice:example.org:secret", QUESTION_AUTH, "alice", "example.org", "secret"},
        {"auth:a:b:c", QUESTION_AUTH, "a", "b", "c"},
        {"auth:a:b:", QUESTION_AUTH, "a", "b", ""},
        {"auth:a:b::", QUESTION_AUTH, "a", "b", ":"},
        {"auth:a:b:c:d:e", QUESTION_AUTH, "a", "b", "c:d:e"},
        {"auth:a:b:auth:c:d:e", QUESTION_AUTH, "a", "b", "auth:c:d:e"},
        {"auth:a:b: c ", QUESTION_AUTH, "a", "b", " c "},
        {"auth:a:b:c@d/e", QUESTION_AUTH, "a", "b", "c@d/e"},
        {"auth:auth:auth:auth", QUESTION_AUTH, "auth", "auth", "auth"},
        {"auth:j\xc3\xbcrgen:example.org:\xff\xfe", QUESTION_AUTH, "j\xc3\xbcrgen", "example.org",
         "\xff\xfe"},
        {"auth:o'connor\"&<>:h:p", QUESTION_AUTH, "o'connor\"&<>", "h", "p"},
        {"auth:a b:c d:e", QUESTION_AUTH, "a b", "c d", "e"},
        {"isuser:alice:example.org", QUESTION_IS_USER, "alice", "example.org", ""},
        {"isuser:a:b", QUESTION_IS_USER, "a", "b", ""},
        {"setpass:a:b:c", QUESTION_UNSUPPORTED, "a", "b", "c"},
        {"setpass:a:b:c:d", QUESTION_UNSUPPORTED, "a", "b", "c:d"},
        {"tryregister:a:b:c", QUESTION_UNSUPPORTED, "a", "b", "c"},
        {"removeuser:a:b", QUESTION_UNSUPPORTED, "a", "b", ""},
        {"removeuser3:a:b:c", QUESTION_UNSUPPORTED, "a", "b", "c"},
        {"certauth:a:b:c", QUESTION_UNSUPPORTED, "a", "b", "c"},
        {"features:tryagain", QUESTION_TRY_AGAIN, "", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        size_t length = strlen(rows[i].text);
        char *exact = exact_copy(rows[i].text, length);
        struct question question = question_parse(exact, length);

        expect(question.kind == rows[i].kind, "'%s': %d", rows[i].text, question.kind);
        expect(field_is(question.user, question.user_length, rows[i].user), "'%s': user",
               rows[i].text);
        expect(field_is(question.host, question.host_length, rows[i].host), "'%s': host",
               rows[i].text);
        expect(field_is(question.password, question.password_length, rows[i].password),
               "'%s': password", rows[i].text);
        free(exact);
    }
}

static void other_texts_are_malformed(void **state)
{
    static const char *const rows[] = {
        /* No command, or none that is known. */
        "",
        ":",
        "::",
        ":::",
        "alice",
        "alice:example.org:secret",
        "Auth:a:b:c",
        "AUTH:a:b:c",
        " auth:a:b:c",
        "auth :a:b:c",
        "aut:a:b:c",
        "authx:a:b:c",
        "auth",
        "isuser",
        "isuse:a:b",
        "auths:a:b:c",
        "login:a:b:c",
        ":a:b:c",
        "quit",
        "0",
        "1",
        "GET / HTTP/1.1",
        "authauth:a:b:c",
        "removeuser2:a:b:c",
        "removeuser33:a:b:c",
        ("\xef\xbb\xbf"
         "auth:a:b:c"),
        /* A field missing. */
        "auth:",
        "auth:a",
        "auth:a:",
        "auth:a:b",
        "isuser:",
        "isuser:a",
        "setpass:a:b",
        "tryregister:a:b",
        "removeuser:a",
        "removeuser3:a:b",
        "certauth:a:b",
        /* A field too many: the host of these can't have a colon. */
        "isuser:a:b:",
        "isuser:a:b:c",
        "isuser:a:b:c:d",
        "removeuser:a:b:",
        "removeuser:a:b:c",
        /* An empty user or host. */
        "auth::b:c",
        "auth:a::c",
        "auth:::c",
        "auth:::",
        "auth::::::",
        "isuser::b",
        "isuser:a:",
        "isuser::",
        "setpass::b:c",
        "removeuser::b",
        "certauth:a::c",
        /* A user or host with @ or /. */
        "auth:a@b:c:d",
        "auth:a:b@c:d",
        "auth:@:b:c",
        "auth:a:@:c",
        "auth:a/r:b:c",
        "auth:a:b/r:c",
        "auth:/:b:c",
        "auth:a:/:c",
        "auth:a@b/r:c:d",
        "isuser:a@b:c",
        "isuser:a:b@c",
        "isuser:a/r:b",
        "isuser:a:b/r",
        "setpass:a@b:c:d",
        "removeuser:a/b:c",
        /* Control bytes. */
        "auth:a\n:b:c",
        "auth:a:b\n:c",
        "auth:a:b:c\n",
        "auth:a:b:c\r",
        "auth:a:b:c\r\n",
        "auth:a:b:\nauth:c:d:e",
        "auth:a:b:c\x7f",
        "auth:a\t:b:c",
        "isuser:a\x1b:b",
        "\nauth:a:b:c",
        "isuser:a:b\n",
        /* Nearly features:tryagain. */
        "features:",
        "features",
        "features:tryagai",
        "features:tryagain ",
        "features:tryagain:",
        "features:tryagain\n",
        "Features:tryagain",
        "features:tryAgain",
        " features:tryagain",
        "features:other",
        "features:tryagain:a:b",
        "features:a:b:c",
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(is_malformed(rows[i], strlen(rows[i])), "row %zu: '%s'", i, rows[i]);
}

static const char *const every_kind[] = {
    "auth:alice:example.org:secret",    "isuser:alice:example.org",
    "setpass:alice:example.org:secret", "tryregister:alice:example.org:secret",
    "removeuser:alice:example.org",     "removeuser3:alice:example.org:secret",
    "certauth:alice:example.org:secret"};

/* Which field of a question a place belongs to: 0 for the command, then 1, 2, 3. */
static int field_at(const char *text, size_t at)
{
    int field = 0;

    for (size_t i = 0; i < at && field < 3; i++)
        field += text[i] == ':';
    return field;
}

static void every_byte_in_every_field_is_allowed_or_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(every_kind); i++) {
        const char *original = every_kind[i];
        size_t length = strlen(original);
        enum question_kind kind = question_parse(original, length).kind;

        for (size_t at = 0; at < length; at++) {
            int field = field_at(original, at);

            if (field == 0 || original[at] == ':')
                continue;
            for (int byte = 0; byte < 256; byte++) {
                bool control = byte < 0x20 || byte == 0x7f;
                bool name = field < 3;
                struct question question;
                char *text;

                if (byte == ':' && name)
                    continue; /* the fields' border moves: judged by the random questions below */
                text = exact_copy(original, length);
                text[at] = (char)byte;
                question = question_parse(text, length);
                if (control || (name && (byte == '@' || byte == '/')))
                    expect(question.kind == QUESTION_MALFORMED, "'%s': byte %02x at %zu", original,
                           byte, at);
                else
                    expect(question.kind == kind, "'%s': byte %02x at %zu", original, byte, at);
                free(text);
            }
        }
    }
}

static void a_control_byte_anywhere_is_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(every_kind); i++) {
        size_t length = strlen(every_kind[i]);

        for (size_t at = 0; at <= length; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[64];

                if (byte >= 0x20 && byte != 0x7f)
                    continue;
                memcpy(text, every_kind[i], at);
                text[at] = (char)byte;
                memcpy(text + at + 1, every_kind[i] + at, length - at);
                expect(is_malformed(text, length + 1), "'%s': byte %02x put in at %zu",
                       every_kind[i], byte, at);
            }
        }
    }
}

/* C's strings would end at the NUL: admin NUL x is admin. */
static void a_nul_byte_ends_no_field(void **state)
{
    (void)state;
    assert_true(is_malformed("auth:admin\0x:example.org:secret", 31));
    assert_true(is_malformed("auth:admin:example.org\0x:secret", 31));
    assert_true(is_malformed("auth:admin:example.org:secret\0", 30));
    assert_true(is_malformed("auth\0:admin:example.org:secret", 30));
    assert_true(is_malformed("isuser:admin:example.org\0", 25));
    assert_true(is_malformed("features:tryagain\0", 18));
}

static void a_question_cut_off_anywhere_reads_nothing_beyond(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(every_kind); i++) {
        size_t whole = strlen(every_kind[i]);
        bool has_password = strstr(every_kind[i], "secret") != NULL;
        /* Where the last name ends and, if there is one, the password's colon stands. */
        size_t host = (size_t)(strstr(every_kind[i], "alice:") - every_kind[i]) + 6;
        size_t shortest = has_password ? host + strlen("example.org:") : host + 1;

        for (size_t length = 0; length <= whole; length++)
            expect(is_malformed(every_kind[i], length) == (length < shortest), "'%s' cut to %zu",
                   every_kind[i], length);
    }
}

static void names_and_passwords_of_every_length_are_taken(void **state)
{
    char text[8200];

    (void)state;
    for (size_t length = 1; length <= 8191 - strlen("auth:u:h:"); length += length < 300 ? 1 : 97) {
        struct question question;
        char *exact;

        copy_text(text, "auth:");
        memset(text + 5, 'u', length);
        copy_text(text + 5 + length, ":h:");
        exact = exact_copy(text, 5 + length + 3);
        question = question_parse(exact, 5 + length + 3);
        expect(question.kind == QUESTION_AUTH && question.user_length == length, "user of %zu",
               length);
        free(exact);

        copy_text(text, "isuser:u:");
        memset(text + 9, 'h', length);
        exact = exact_copy(text, 9 + length);
        question = question_parse(exact, 9 + length);
        expect(question.kind == QUESTION_IS_USER && question.host_length == length, "host of %zu",
               length);
        free(exact);

        copy_text(text, "auth:u:h:");
        memset(text + 9, ':', length);
        exact = exact_copy(text, 9 + length);
        question = question_parse(exact, 9 + length);
        expect(question.kind == QUESTION_AUTH && question.password_length == length,
               "password of %zu", length);
        free(exact);
    }
}

/* The rules once more, field by field. */
static bool naive_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '@' || text[i] == '/' || text[i] == ':')
            return false;
    }
    return length > 0;
}

static bool naive_is_question(const char *text, size_t length)
{
    static const char *const with_password[] = {"auth", "setpass", "tryregister", "removeuser3",
                                                "certauth"};
    static const char *const without[] = {"isuser", "removeuser"};
    size_t colons[3], colon_count = 0, end;
    bool known = false, password = false;

    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] < 32 || text[i] == 127)
            return false;
        if (text[i] == ':' && colon_count < 3)
            colons[colon_count++] = i;
    }
    if (field_is(text, length, "features:tryagain"))
        return true;
    if (colon_count < 2)
        return false;
    for (size_t i = 0; i < LENGTH_OF(with_password); i++) {
        if (field_is(text, colons[0], with_password[i]))
            known = password = true;
    }
    for (size_t i = 0; i < LENGTH_OF(without); i++)
        known |= field_is(text, colons[0], without[i]);
    if (!known || password != (colon_count == 3))
        return false;
    end = password ? colons[2] : length;
    return naive_name(text + colons[0] + 1, colons[1] - colons[0] - 1) &&
           naive_name(text + colons[1] + 1, end - colons[1] - 1);
}

static void random_questions_agree_with_the_rules(void **state)
{
    static const char *const pieces[] = {
        "auth",     "isuser",   "setpass", "tryregister", "removeuser", "removeuser3", "certauth",
        "features", "tryagain", ":",       ":",           ":",          ":",           ":",
        ":",        "a",        "alice",   "example.org", "@",          "/",           " ",
        "\n",       "\r",       "\x7f",    "\xc3\xa9",    "\xff",       "0",           "",
        "",         "b",        "c",       "password"};
    uint64_t random = 31;
    size_t taken = 0;

    (void)state;
    for (int round = 0; round < 300000; round++) {
        char text[256] = "";
        size_t count = random_below(&random, 9), length = 0;

        /* Half of them begin as they should. */
        if (round % 2 == 0) {
            length += copy_text(text + length, pieces[random_below(&random, 7)]);
            length += copy_text(text + length, ":");
        }
        for (size_t i = 0; i < count; i++)
            length += copy_text(text + length, pieces[random_below(&random, LENGTH_OF(pieces))]);
        expect(is_malformed(text, length) == !naive_is_question(text, length), "'%s'", text);
        taken += naive_is_question(text, length);
    }
    expect(taken > 3000, "%zu were questions", taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_taken_apart),
        cmocka_unit_test(other_texts_are_malformed),
        cmocka_unit_test(every_byte_in_every_field_is_allowed_or_malformed),
        cmocka_unit_test(a_control_byte_anywhere_is_malformed),
        cmocka_unit_test(a_nul_byte_ends_no_field),
        cmocka_unit_test(a_question_cut_off_anywhere_reads_nothing_beyond),
        cmocka_unit_test(names_and_passwords_of_every_length_are_taken),
        cmocka_unit_test(random_questions_agree_with_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
