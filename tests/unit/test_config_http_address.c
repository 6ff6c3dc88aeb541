/* [http] listen: loopback or a file, and nothing that others on the network could reach. */
#include "vectors.h"

#include "config/http_address.h"

static struct arena arena;

static int clear_arena(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static void loopback_addresses_and_paths_are_taken_and_written_back(void **state)
{
    static const struct {
        const char *text, *written, *host, *path;
        int port;
    } rows[] = {
        {"", "", NULL, NULL, 0},
        {"127.0.0.1:9542", "127.0.0.1:9542", "127.0.0.1", NULL, 9542},
        {"127.1.2.3:1", "127.1.2.3:1", "127.1.2.3", NULL, 1},
        {"127.0.0.1:65535", "127.0.0.1:65535", "127.0.0.1", NULL, 65535},
        {"localhost:9542", "127.0.0.1:9542", "127.0.0.1", NULL, 9542},
        {"[::1]:9542", "[::1]:9542", "::1", NULL, 9542},
        {"[0:0::1]:80", "[0:0::1]:80", "0:0::1", NULL, 80},
        {"unix:/run/x/http.sock", "unix:/run/x/http.sock", NULL, "/run/x/http.sock", 0},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct http_address address = {.port = -1};
        char text[128];

        expect(http_address_parse(rows[i].text, &arena, &address) == NULL, "%s", rows[i].text);
        expect(address.port == rows[i].port, "%s: port %d", rows[i].text, address.port);
        expect((address.host == NULL) == (rows[i].host == NULL) &&
                   (address.path == NULL) == (rows[i].path == NULL),
               "%s", rows[i].text);
        expect(rows[i].host == NULL || strcmp(address.host, rows[i].host) == 0, "%s", rows[i].text);
        expect(rows[i].path == NULL || strcmp(address.path, rows[i].path) == 0, "%s", rows[i].text);
        assert_string_equal(http_address_format(&address, text, sizeof(text)), rows[i].written);
    }
}

static void anything_else_is_refused_and_changes_nothing(void **state)
{
    static const struct {
        const char *text, *complaint;
    } rows[] = {
        {"9542", "takes an address and port"},
        {"127.0.0.1", "takes an address and port"},
        {"127.0.0.1:", "takes an address and port"},
        {"127.0.0.1:0", "takes an address and port"},
        {"127.0.0.1:65536", "takes an address and port"},
        {"127.0.0.1:-1", "takes an address and port"},
        {"127.0.0.1:http", "takes an address and port"},
        {":9542", "takes an address and port"},
        {"*:9542", "takes an address and port"},
        {"::1:9542", "takes an address and port"},
        {"[::1]9542", "takes an address and port"},
        {"[]:9542", "takes an address and port"},
        {"metrics.example.org:9542", "takes an address and port"},
        {"127.1:9542", "takes an address and port"},
        {"0.0.0.0:9542", "takes a loopback address only"},
        {"192.0.2.1:9542", "takes a loopback address only"},
        {"128.0.0.1:9542", "takes a loopback address only"},
        {"[::]:9542", "takes a loopback address only"},
        {"[2001:db8::1]:9542", "takes a loopback address only"},
        {"[::ffff:127.0.0.1]:9542", "takes a loopback address only"},
        {"unix:", "takes an address and port"},
        {"unix:http.sock", "takes an address and port"},
        {"/run/http.sock", "takes an address and port"},
        {"unix:/0123456789012345678901234567890123456789012345678901234567890123456789012345678901"
         "2345678901234567890123456",
         "takes a path of at most 107 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct http_address address = {.port = -1};
        const char *complaint = http_address_parse(rows[i].text, &arena, &address);

        expect(complaint != NULL, "%s is taken", rows[i].text);
        expect(strncmp(complaint, rows[i].complaint, strlen(rows[i].complaint)) == 0, "%s: %s",
               rows[i].text, complaint);
        expect(address.port == -1, "%s", rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(loopback_addresses_and_paths_are_taken_and_written_back,
                                  clear_arena),
        cmocka_unit_test_teardown(anything_else_is_refused_and_changes_nothing, clear_arena),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
