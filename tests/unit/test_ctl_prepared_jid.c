/* The names that an operator writes, in the form in which chat servers ask about them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/prepared_jid.h"

struct row {
    const char *name;
    const char *written;
    const char *prepared; /* NULL: refused */
};

static void assert_row(const struct row *row)
{
    char jid[PREPARED_JID_SIZE] = "untouched";
    const char *error = NULL;
    int result = prepared_jid_make(row->written, strlen(row->written), jid, &error);

    if (row->prepared == NULL && (result != -1 || error == NULL || strcmp(jid, "untouched") != 0))
        fail_msg("%s: taken as %s", row->name, jid);
    if (row->prepared != NULL && (result != 0 || strcmp(jid, row->prepared) != 0))
        fail_msg("%s: %s in place of %s", row->name, result == 0 ? jid : error, row->prepared);
}

static void ascii_names_are_folded_or_refused(void **state)
{
    static const struct row rows[] = {
        {"as it is", "alice@example.org", "alice@example.org"},
        {"upper case", "Alice@Example.ORG", "alice@example.org"},
        {"digits and marks", "a.b-c_1+d@h", "a.b-c_1+d@h"},
        {"empty", "", NULL},
        {"no at", "alice", NULL},
        {"no user", "@example.org", NULL},
        {"no host", "alice@", NULL},
        {"two at", "alice@a@b", NULL},
        {"a resource", "alice@example.org/phone", NULL},
        {"a port", "alice@example.org:5222", NULL},
        {"a colon in the user", "a:b@example.org", NULL},
        {"a blank", "al ice@example.org", NULL},
        {"a second request", "alice@example.org\nallow", NULL},
        {"a tab", "al\tice@example.org", NULL},
        {"delete", "al\x7fice@example.org", NULL},
        {"quotes", "al\"ice@example.org", NULL},
        {"ampersand", "al&ice@example.org", NULL},
        {"angle brackets", "<alice>@example.org", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_row(&rows[i]);
}

static void a_nul_byte_ends_no_name(void **state)
{
    static const char text[] = "alice@example.org\0.evil";
    char jid[PREPARED_JID_SIZE];
    const char *error;

    (void)state;
    assert_int_equal(prepared_jid_make(text, sizeof(text) - 1, jid, &error), -1);
}

static void parts_may_have_1023_bytes(void **state)
{
    char text[1024 + 1 + 1024];
    char jid[PREPARED_JID_SIZE];
    const char *error;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[1023] = '@';
    assert_int_equal(prepared_jid_make(text, 1024 + 1023, jid, &error), 0);
    assert_int_equal(strlen(jid), 1024 + 1023);
    assert_int_equal(prepared_jid_make(text, 1024 + 1024, jid, &error), -1);
    text[1023] = 'x';
    text[1024] = '@';
    assert_int_equal(prepared_jid_make(text, 1024 + 100, jid, &error), -1);
}

/* With ICU as RFC 3920 has it; without it none of them is taken. */
static void names_beyond_ascii(void **state)
{
    static const struct row rows[] = {
        {"sharp s",
         "Stra\xc3\x9f"
         "e@example.org",
         "strasse@example.org"},
        {"upper case", "\xc3\x84rger@example.org", "\xc3\xa4rger@example.org"},
        {"composed", "a\xcc\x88@example.org", "\xc3\xa4@example.org"},
        {"full width", "\xef\xbc\xa1lice@example.org", "alice@example.org"},
        {"soft hyphen", "al\xc2\xadice@example.org", "alice@example.org"},
        {"host", "alice@M\xc3\x9cnchen.example", "alice@m\xc3\xbcnchen.example"},
        {"later than Unicode 3.2", "\xf0\x9f\x98\x80@example.org", "\xf0\x9f\x98\x80@example.org"},
        {"nothing but a soft hyphen", "\xc2\xad@example.org", NULL},
        {"a full width at", "al\xef\xbc\xa0ice@example.org", NULL},
        {"a full width colon", "al\xef\xbc\x9aice@example.org", NULL},
        {"a full width slash in the host",
         "alice@a\xef\xbc\x8f"
         "b",
         NULL},
        {"no-break space", "al\xc2\xa0ice@example.org", NULL},
        {"line separator", "al\xe2\x80\xa8ice@example.org", NULL},
        {"both directions", "a\xd7\x90@example.org", NULL},
        {"half a character", "al\xc3@example.org", NULL},
        {"overlong", "al\xc0\xafice@example.org", NULL},
        {"a surrogate", "al\xed\xa0\x80ice@example.org", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct row row = rows[i];

#ifndef HAVE_ICU
        row.prepared = NULL;
#endif
        assert_row(&row);
    }
}

static void what_is_prepared_stays_as_it_is(void **state)
{
    static const char *const names[] = {"Alice@Example.ORG",
#ifdef HAVE_ICU
                                        "Stra\xc3\x9f"
                                        "e@M\xc3\x9cnchen.example"
#endif
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char once[PREPARED_JID_SIZE], twice[PREPARED_JID_SIZE];
        const char *error;

        assert_int_equal(prepared_jid_make(names[i], strlen(names[i]), once, &error), 0);
        assert_int_equal(prepared_jid_make(once, strlen(once), twice, &error), 0);
        assert_string_equal(once, twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_names_are_folded_or_refused),
        cmocka_unit_test(a_nul_byte_ends_no_name),
        cmocka_unit_test(parts_may_have_1023_bytes),
        cmocka_unit_test(names_beyond_ascii),
        cmocka_unit_test(what_is_prepared_stays_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
