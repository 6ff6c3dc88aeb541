/* Names in the form in which chat servers ask about them (RFC 3920 nodeprep, RFC 3491 nameprep). */
#include "vectors.h"

#include "base/prepared_name.h"

struct row {
    const char *name;
    const char *written;
    size_t length;
    const char *prepared; /* NULL: a fault */
    enum name_fault fault;
};

#define TAKEN(name, written, prepared)                                                             \
    {                                                                                              \
        name, written, sizeof(written) - 1, prepared, NAME_IS_RIGHT                                \
    }
#define REFUSED(name, written, fault)                                                              \
    {                                                                                              \
        name, written, sizeof(written) - 1, NULL, fault                                            \
    }

static void assert_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        uint8_t *exact = exact_copy(row->written, row->length);
        char prepared[PREPARED_NAME_SIZE] = "";
        enum name_fault fault = prepared_user((const char *)exact, row->length, prepared);

        expect(fault == row->fault, "%s: fault %d", row->name, (int)fault);
        expect(row->prepared == NULL || strcmp(prepared, row->prepared) == 0, "%s: taken as %s",
               row->name, prepared);
        free(exact);
    }
}

static void ascii_needs_no_icu(void **state)
{
    static const struct row rows[] = {
        TAKEN("as it is", "alice", "alice"),
        TAKEN("upper case", "ALICE", "alice"),
        TAKEN("a digit first", "1Admin", "1admin"),
        TAKEN("marks", "a.b-c_1+d#e!f$g%h*i=j?k^l`m{n|o}p~q\\r(s)t;u,v[w]",
              "a.b-c_1+d#e!f$g%h*i=j?k^l`m{n|o}p~q\\r(s)t;u,v[w]"),
        REFUSED("empty", "", NAME_IS_EMPTY),
        REFUSED("a blank", "al ice", NAME_IS_FORBIDDEN),
        REFUSED("a NUL", "alice\0admin", NAME_IS_FORBIDDEN),
        REFUSED("a NUL at the end", "alice\0", NAME_IS_FORBIDDEN),
        REFUSED("a line end", "alice\n", NAME_IS_FORBIDDEN),
        REFUSED("delete", "alice\x7f", NAME_IS_FORBIDDEN),
        REFUSED("at", "alice@example.org", NAME_IS_FORBIDDEN),
        REFUSED("a slash", "alice/home", NAME_IS_FORBIDDEN),
        REFUSED("a colon", "alice:x", NAME_IS_FORBIDDEN),
        REFUSED("quotes", "\"alice\"", NAME_IS_FORBIDDEN),
        REFUSED("an apostrophe", "o'neill", NAME_IS_FORBIDDEN),
        REFUSED("an ampersand", "a&b", NAME_IS_FORBIDDEN),
        REFUSED("angle brackets", "<alice>", NAME_IS_FORBIDDEN),
    };

    (void)state;
    assert_rows(rows, LENGTH_OF(rows));
}

static void a_name_has_at_most_1023_bytes(void **state)
{
    static char written[PREPARED_NAME_MAX + 1];
    char prepared[PREPARED_NAME_SIZE];

    (void)state;
    memset(written, 'A', sizeof(written));
    assert_int_equal(prepared_user(written, PREPARED_NAME_MAX, prepared), NAME_IS_RIGHT);
    assert_int_equal(strlen(prepared), PREPARED_NAME_MAX);
    assert_int_equal(prepared_user(written, PREPARED_NAME_MAX + 1, prepared), NAME_IS_TOO_LONG);
}

#ifdef HAVE_ICU

static void beyond_ascii_it_is_nodeprep(void **state)
{
    static const struct row rows[] = {
        TAKEN("sharp s",
              "Stra\xc3\x9f"
              "e",
              "strasse"),
        TAKEN("an accent in upper case", "\xc3\x89lan", "\xc3\xa9lan"),
        TAKEN("an accent of its own", "e\xcc\x81lan", "\xc3\xa9lan"),
        TAKEN("full-width letters", "\xef\xbd\x81\xef\xbc\xa2", "ab"),
        TAKEN("a soft hyphen, which is nothing", "al\xc2\xadice", "alice"),
        REFUSED("nothing but a soft hyphen", "\xc2\xad", NAME_IS_EMPTY),
        REFUSED("a full-width at", "alice\xef\xbc\xa0host", NAME_IS_FORBIDDEN),
        REFUSED("a full-width slash", "alice\xef\xbc\x8fhome", NAME_IS_FORBIDDEN),
        REFUSED("a full-width colon", "alice\xef\xbc\x9ahost", NAME_IS_FORBIDDEN),
        REFUSED("a no-break space", "al\xc2\xa0ice", NAME_IS_FORBIDDEN),
        REFUSED("a line separator", "al\xe2\x80\xa8ice", NAME_IS_FORBIDDEN),
        REFUSED("a private character", "al\xee\x80\x80ice", NAME_IS_FORBIDDEN),
        REFUSED("text of both directions",
                "\xd7\x90"
                "a",
                NAME_IS_FORBIDDEN),
        REFUSED("no UTF-8", "al\xffice", NAME_IS_NOT_UTF8),
        REFUSED("cut UTF-8", "alice\xc3", NAME_IS_NOT_UTF8),
        REFUSED("an overlong slash", "alice\xc0\xaf", NAME_IS_NOT_UTF8),
        REFUSED("a surrogate", "alice\xed\xa0\x80", NAME_IS_NOT_UTF8),
        REFUSED("a NUL beside it", "\xc3\xa9\0", NAME_IS_FORBIDDEN),
    };

    (void)state;
    assert_rows(rows, LENGTH_OF(rows));
}

/* A musical note of four bytes becomes its three parts, of four bytes each. */
static void a_name_may_grow_up_to_the_bound_and_no_further(void **state)
{
    static const unsigned char note[4] = {0xf0, 0x9d, 0x85, 0xa0};
    char written[PREPARED_NAME_MAX + 1], prepared[PREPARED_NAME_SIZE];

    (void)state;
    for (size_t length = 4; length <= sizeof(written) - 4; length += 4) {
        memcpy(written + length - 4, note, sizeof(note));
        for (size_t more = 0; more < 4; more++) {
            bool fits = 3 * length + more <= PREPARED_NAME_MAX;

            memset(written + length, 'a', more);
            expect(prepared_user(written, length + more, prepared) ==
                       (fits ? NAME_IS_RIGHT : NAME_IS_TOO_LONG),
                   "%zu notes and %zu letters", length / 4, more);
            expect(!fits || strlen(prepared) == 3 * length + more, "%zu notes", length / 4);
        }
    }
}

static void every_prepared_name_is_left_as_it_is(void **state)
{
    uint64_t random = 7;
    size_t taken = 0;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char written[24], once[PREPARED_NAME_SIZE], twice[PREPARED_NAME_SIZE];
        size_t length = 0;

        while (length < 12) {
            unsigned code = 0x21 + (unsigned)random_below(&random, 0x500);

            if (code < 0x80) {
                written[length++] = (char)code;
            } else {
                written[length++] = (char)(0xc0 | code >> 6);
                written[length++] = (char)(0x80 | (code & 0x3f));
            }
        }
        if (prepared_user(written, length, once) != NAME_IS_RIGHT)
            continue;
        taken++;
        expect(prepared_user(once, strlen(once), twice) == NAME_IS_RIGHT &&
                   strcmp(once, twice) == 0,
               "%s becomes %s", once, twice);
    }
    assert_true(taken > 1000);
}

#else

static void beyond_ascii_nothing_is_taken(void **state)
{
    static const struct row rows[] = {
        REFUSED("an accent", "\xc3\xa9lan", NAME_IS_NOT_ASCII),
        REFUSED("no UTF-8", "\xff", NAME_IS_NOT_ASCII),
    };

    (void)state;
    assert_rows(rows, LENGTH_OF(rows));
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_needs_no_icu),
        cmocka_unit_test(a_name_has_at_most_1023_bytes),
#ifdef HAVE_ICU
        cmocka_unit_test(beyond_ascii_it_is_nodeprep),
        cmocka_unit_test(a_name_may_grow_up_to_the_bound_and_no_further),
        cmocka_unit_test(every_prepared_name_is_left_as_it_is),
#else
        cmocka_unit_test(beyond_ascii_nothing_is_taken),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
