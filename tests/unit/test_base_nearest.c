/* "Did you mean": the known name that a mistyped one is nearest to. */
#include "vectors.h"

#include "base/nearest.h"

static const char *const settings[] = {"listen",       "mode",       "group",        "otp_seed",
                                       "token_secret", "otp_digits", "nonce_digits", "otp_window"};

static void a_mistyped_name_suggests_the_one_that_was_meant(void **state)
{
    static const struct {
        const char *word, *nearest;
    } rows[] = {
        {"listen", "listen"},  /* exact */
        {"lisen", "listen"},   /* a letter left out */
        {"llisten", "listen"}, /* one too many */
        {"lIsten", "listen"},  /* another case */
        {"lisetn", "listen"},  /* two swapped */
        {"token-secret", "token_secret"},
        {"tokensecret", "token_secret"},
        {"otp_secret", "otp_seed"}, /* three of ten: just near enough */
        {"otp_secrets", NULL},      /* four of eleven */
        {"otp_sed", "otp_seed"},
        {"opt_seed", "otp_seed"},
        {"seed", NULL}, /* half of it is missing */
        {"otpdigits", "otp_digits"},
        {"nonce_digit", "nonce_digits"},
        {"mod", "mode"},
        {"mo", NULL}, /* two of four: would mislead */
        {"moda", "mode"},
        {"modest", "mode"}, /* two of six: just near enough */
        {"modesty", NULL},  /* three of seven */
        {"redis", NULL},
        {"", NULL},
        {"x", NULL},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const char *nearest = nearest_name(rows[i].word, settings, LENGTH_OF(settings));

        if (rows[i].nearest == NULL)
            expect(nearest == NULL, "'%s' suggests '%s'", rows[i].word, nearest);
        else
            expect(nearest != NULL && strcmp(nearest, rows[i].nearest) == 0, "'%s' suggests '%s'",
                   rows[i].word, nearest == NULL ? "nothing" : nearest);
    }
}

static void of_several_as_near_the_first_is_suggested(void **state)
{
    static const char *const names[] = {"cart", "card", "care", "carbon"};

    (void)state;
    assert_ptr_equal(nearest_name("carx", names, LENGTH_OF(names)), names[0]);
    assert_ptr_equal(nearest_name("care", names, LENGTH_OF(names)), names[2]);
}

static void nothing_is_suggested_where_nothing_is_known(void **state)
{
    (void)state;
    assert_null(nearest_name("listen", NULL, 0));
}

static void words_of_any_length_are_borne(void **state)
{
    char word[300], name[300];
    const char *const names[] = {name};

    (void)state;
    for (size_t length = 0; length < sizeof(word); length++) {
        const char *nearest;

        memset(word, 'w', length);
        word[length] = '\0';
        copy_text(name, word);
        nearest = nearest_name(word, names, 1);
        /* Names longer than any setting's may be given up on, but never misread. */
        expect(nearest == name || (nearest == NULL && length > 63), "length %zu", length);
        if (length > 0) {
            name[length - 1] = 'v';
            nearest = nearest_name(word, names, 1);
            expect((nearest == name) == (length >= 3 && length <= 63), "length %zu, one edit",
                   length);
        }
    }
}

static void bytes_outside_ascii_are_bytes_like_others(void **state)
{
    static const char *const names[] = {"caf\xc3\xa9s"};

    (void)state;
    assert_ptr_equal(nearest_name("caf\xc3\xa8s", names, 1), names[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistyped_name_suggests_the_one_that_was_meant),
        cmocka_unit_test(of_several_as_near_the_first_is_suggested),
        cmocka_unit_test(nothing_is_suggested_where_nothing_is_known),
        cmocka_unit_test(words_of_any_length_are_borne),
        cmocka_unit_test(bytes_outside_ascii_are_bytes_like_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
