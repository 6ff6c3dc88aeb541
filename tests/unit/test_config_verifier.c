/* What a verdict takes of a host: whose it is, by the domain that was asked about. */
#include "vectors.h"

#include "config/verifier.h"

static void a_verifier_is_its_domains_and_no_others(void **state)
{
    (void)state;
    for (size_t length = 1; length <= NAME_AT_HAND; length++) {
        struct verifier verifier = {.name_length = (uint8_t)length};
        char *domain;

        memset(verifier.name, 'x', sizeof(verifier.name));
        for (size_t i = 0; i < length; i++)
            verifier.name[i] = (char)('a' + i);
        domain = exact_copy(verifier.name, length);
        expect(verifier_is_named(&verifier, domain, length), "%zu bytes", length);
        expect(!verifier_is_named(&verifier, domain, length - 1), "%zu bytes but one", length);
        for (size_t i = 0; i < length * 8; i++) {
            domain[i / 8] = (char)(domain[i / 8] ^ 1 << i % 8);
            expect(!verifier_is_named(&verifier, domain, length), "bit %zu of %zu bytes", i,
                   length);
            domain[i / 8] = (char)(domain[i / 8] ^ 1 << i % 8);
        }
        free(domain);
        expect(!verifier_is_named(&verifier, verifier.name, length + 1), "%zu bytes and one",
               length);
    }
}

static void a_verifier_whose_name_is_not_at_hand_is_nobodys(void **state)
{
    const struct verifier verifier = {.name = "example.org"};

    (void)state;
    assert_false(verifier_is_named(&verifier, "example.org", 11));
    assert_false(verifier_is_named(&verifier, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verifier_is_its_domains_and_no_others),
        cmocka_unit_test(a_verifier_whose_name_is_not_at_hand_is_nobodys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
