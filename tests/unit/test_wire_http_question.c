/* Form-encoded fields to a question, whatever they hold. */
#include "vectors.h"

#include "wire/http_question.h"

struct row {
    const char *name;
    const char *form;
    enum question_kind kind;
    const char *user, *host, *password; /* of a question that is not malformed */
};

static const struct row rows[] = {
    {"in one order", "user=alice&server=example.org&pass=t", QUESTION_AUTH, "alice", "example.org",
     "t"},
    {"in another", "pass=t&server=example.org&user=alice", QUESTION_AUTH, "alice", "example.org",
     "t"},
    {"an empty password", "user=alice&server=example.org&pass=", QUESTION_AUTH, "alice",
     "example.org", ""},
    {"plus is a blank", "user=a&server=h&pass=1+2%2B3", QUESTION_AUTH, "a", "h", "1 2+3"},
    {"digits of both cases", "user=%c3%A9&server=h&pass=%3d%3D", QUESTION_AUTH, "\xc3\xa9", "h",
     "=="},
    {"an equals sign in a value", "user=a&server=h&pass=x==", QUESTION_AUTH, "a", "h", "x=="},
    {"an escaped ampersand", "user=a&server=h&pass=x%26user=b", QUESTION_AUTH, "a", "h",
     "x&user=b"},
    {"an escape is decoded once", "user=a&server=h&pass=%2541", QUESTION_AUTH, "a", "h", "%41"},
    {"bytes beyond ASCII", "user=\xc3\xa9&server=h&pass=\xff", QUESTION_AUTH, "\xc3\xa9", "h",
     "\xff"},
    {"nothing", "", QUESTION_MALFORMED, "", "", ""},
    {"a duplicate", "user=a&server=h&pass=x&user=b", QUESTION_MALFORMED, "", "", ""},
    {"an empty duplicate", "user=&user=b&server=h&pass=x", QUESTION_MALFORMED, "", "", ""},
    {"another field", "user=a&server=h&pass=x&a=b", QUESTION_MALFORMED, "", "", ""},
    {"a field in capitals", "User=a&server=h&pass=x", QUESTION_MALFORMED, "", "", ""},
    {"no name", "=a&server=h&pass=x", QUESTION_MALFORMED, "", "", ""},
    {"an escape cut after one digit", "user=a&server=h&pass=%4", QUESTION_MALFORMED, "", "", ""},
    {"an escape cut before the next field", "user=%4&server=h&pass=x", QUESTION_MALFORMED, "", "",
     ""},
    {"an escape with @ for a digit", "user=a&server=h&pass=%@1", QUESTION_MALFORMED, "", "", ""},
    {"an escaped NUL", "user=a%00b&server=h&pass=x", QUESTION_MALFORMED, "", "", ""},
    {"an escaped @", "user=a%40b&server=h&pass=x", QUESTION_MALFORMED, "", "", ""},
    {"an escaped colon in the user", "user=a%3Ab&server=h&pass=x", QUESTION_MALFORMED, "", "", ""},
    {"a blank", "user=a b&server=h&pass=x", QUESTION_MALFORMED, "", "", ""},
};

static bool is(const char *text, size_t length, const char *expected)
{
    return length == strlen(expected) && memcmp(text, expected, length) == 0;
}

static void a_form_is_a_question_or_malformed(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        size_t length = strlen(rows[i].form);
        char *exact = exact_copy(rows[i].form, length);
        char *text = malloc(REQUEST_MAX);
        struct question question = http_question_parse(QUESTION_AUTH, exact, length, text);

        expect(question.kind == rows[i].kind, "%s", rows[i].name);
        expect(is(question.user, question.user_length, rows[i].user) &&
                   is(question.host, question.host_length, rows[i].host) &&
                   is(question.password, question.password_length, rows[i].password),
               "%s", rows[i].name);
        free(text);
        free(exact);
    }
}

static void only_a_login_needs_a_password_and_only_a_login_keeps_it(void **state)
{
    static const char with[] = "user=a&server=h&pass=x", without[] = "user=a&server=h";
    static const enum question_kind kinds[] = {QUESTION_AUTH, QUESTION_IS_USER,
                                               QUESTION_UNSUPPORTED};
    char text[REQUEST_MAX];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(kinds); i++) {
        struct question question = http_question_parse(kinds[i], with, strlen(with), text);

        assert_int_equal(question.kind, kinds[i]);
        assert_int_equal(question.password_length, kinds[i] == QUESTION_AUTH ? 1 : 0);
        question = http_question_parse(kinds[i], without, strlen(without), text);
        assert_int_equal(question.kind, kinds[i] == QUESTION_AUTH ? QUESTION_MALFORMED : kinds[i]);
    }
}

static void a_form_has_at_most_as_many_bytes_as_a_request(void **state)
{
    static char form[REQUEST_MAX + 1];
    char *text = malloc(REQUEST_MAX);
    int length = snprintf(form, sizeof(form), "user=a&server=h&pass=");

    (void)state;
    memset(form + length, 'x', sizeof(form) - (size_t)length);
    assert_int_equal(http_question_parse(QUESTION_AUTH, form, REQUEST_MAX, text).kind,
                     QUESTION_AUTH);
    assert_int_equal(http_question_parse(QUESTION_AUTH, form, REQUEST_MAX + 1, text).kind,
                     QUESTION_MALFORMED);
    free(text);
}

/* Cut and stirred: what is understood keeps the rules, and its fields lie where they must. */
static void random_forms_are_understood_or_refused(void **state)
{
    static const char *const pieces[] = {"user=", "server=", "pass=", "&", "alice", "example.org",
                                         "%",     "%41",     "%00",   "+", "=",     "\n",
                                         "%40",   "%zz",     "\xff",  "@", "a"};
    char text[REQUEST_MAX];
    uint64_t random = 11;
    size_t understood = 0;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        char form[256];
        size_t length = 0;
        struct question question;

        for (size_t count = random_below(&random, 14); count > 0; count--)
            length += copy_text(form + length, pieces[random_below(&random, LENGTH_OF(pieces))]);
        if (round % 2 == 0)
            length = copy_text(form, "user=alice&server=h&pass=") +
                     copy_text(form + 25, pieces[random_below(&random, LENGTH_OF(pieces))]);
        question = http_question_parse(QUESTION_AUTH, form, length, text);
        if (question.kind == QUESTION_MALFORMED)
            continue;
        understood++;
        expect(question.user >= text && question.user + question.user_length <= text + length &&
                   question.host >= text && question.host + question.host_length <= text + length,
               "round %d", round);
        expect(question_is_well_formed(&question) &&
                   !question_has_control_bytes(text, question.user_length),
               "round %d", round);
    }
    assert_true(understood > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_form_is_a_question_or_malformed),
        cmocka_unit_test(only_a_login_needs_a_password_and_only_a_login_keeps_it),
        cmocka_unit_test(a_form_has_at_most_as_many_bytes_as_a_request),
        cmocka_unit_test(random_forms_are_understood_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
