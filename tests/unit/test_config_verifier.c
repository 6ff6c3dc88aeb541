/* What a verdict takes of a host: whose it is, by the domain that was asked about. */
#include "test_config_rules.h"

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

/* The names are as long as fits, one longer, and short; the last host has two keys, which stand
 * apart. */
static void a_verifier_has_of_its_host_what_a_verdict_takes(void **state)
{
    static const char *const hosts[] = {
        "[host an.twenty-three.example]\notp_interval = 45\notp_window = 2\n" KEY_OF("A"),
        "[host some.twenty-four.example]\nisuser = seen\n" KEY_OF("B"),
        "[host c.example]\naccept = v1, v2\n" KEY_OF("C"),
        "[host d.example]\notp_interval = 60\n" KEY_OF("D"),
        "[key d.example e]\n" KEY_OF("E"),
    };
    char text[2000] = "";
    struct config *config;

    for (size_t i = 0; i < LENGTH_OF(hosts); i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", hosts[i]);
    config = good_config(text);
    (void)state;
    for (size_t i = 0; i < config->host_count; i++) {
        const struct host *host = &config->hosts[i];
        const struct verifier *verifier = config_verifier(config, host);
        size_t length = strlen(host->name);

        assert_memory_equal(&verifier->format, &host->format, sizeof(host->format));
        assert_int_equal(verifier->keep_window, host->keep_window);
        assert_memory_equal(verifier->reach, host->reach, sizeof(host->reach));
        assert_int_equal(verifier->is_user, host->is_user.mode);
        assert_int_equal(verifier->keys.count, host->key_count);
        for (size_t k = 0; k < host->key_count; k++)
            assert_ptr_equal(verifier->keys.keys[k], host->keys[k]);
        assert_ptr_equal(verifier->keys.names, host->key_fingerprints);
        assert_ptr_equal(verifier->keys.jsxc, host->jsxc);
        expect((verifier->keys.keys == &verifier->only_key) == (host->key_count == 1), "%s",
               host->name);
        expect(verifier_is_named(verifier, host->name, length) == (length <= NAME_AT_HAND), "%s",
               host->name);
    }
    config_destroy(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verifier_is_its_domains_and_no_others),
        cmocka_unit_test(a_verifier_whose_name_is_not_at_hand_is_nobodys),
        cmocka_unit_test(a_verifier_has_of_its_host_what_a_verdict_takes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
