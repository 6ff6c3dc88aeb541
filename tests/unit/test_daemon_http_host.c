/* Host headers: this machine's own names, against web pages whose name resolves to 127.0.0.1. */
#include "vectors.h"

#include "daemon/http_host.h"

static void only_names_of_this_machine_are_local(void **state)
{
    static const struct {
        const char *host;
        bool local;
    } rows[] = {
        {"localhost", true},
        {"LOCALHOST:9542", true},
        {"127.0.0.1", true},
        {"127.0.0.1:9542", true},
        {"127.255.255.255:1", true},
        {"[::1]", true},
        {"[::1]:9542", true},
        {"localhost:", true},
        {NULL, false},
        {"", false},
        {":9542", false},
        {"evil.example", false},
        {"evil.example:9542", false},
        {"localhost.evil.example", false},
        {"127.0.0.1.evil.example", false},
        {"evil.example:127", false},
        {"127.0.0.1:9542x", false},
        {"127.0.0.1:9542:1", false},
        {"127.0.0.1:123456", false},
        {"127.0.0.1@evil.example", false},
        {"evil.example@127.0.0.1", false},
        {"127.0.0.1 evil.example", false},
        {"127.1", false},
        {"2130706433", false},
        {"128.0.0.1", false},
        {"0.0.0.0", false},
        {"[::]", false},
        {"[::1", false},
        {"[::1]x", false},
        {"[", false},
        {"[]", false},
        {"::1", false},
        {"localhost,evil.example", false},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(http_host_is_local(rows[i].host) == rows[i].local, "row %zu: %s", i,
               rows[i].host == NULL ? "(none)" : rows[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_names_of_this_machine_are_local),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
