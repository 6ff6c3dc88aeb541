/* Every form of a Redis' address in [replay], and what is no address at all. */
#include "test_config_files.h"

#include "config/config.h"
#include "config/store_rule.h"

static struct config *load(const char *lines, struct problems *problems)
{
    char path[FILE_PATH_SIZE], text[4096];
    struct config *config;

    snprintf(text, sizeof(text), "[host example.org]\n" GOOD_KEY "[replay]\n%s", lines);
    config = config_load(write_text(path, text), problems);
    unlink(path);
    return config;
}

#ifdef HAVE_REDIS

static const struct {
    const char *store;
    const char *host; /* NULL: it is refused, or a path */
    int port;
    int database;
    const char *password;
    const char *path;
} addresses[] = {
    {"redis://127.0.0.1", "127.0.0.1", 6379, 0, NULL, NULL},
    {"redis://localhost:6380/2", "127.0.0.1", 6380, 2, NULL, NULL},
    {"redis://:s3cret@10.0.0.1:1/15", "10.0.0.1", 1, 15, "s3cret", NULL},
    {"redis://:with:and@sign@10.0.0.1", "10.0.0.1", 6379, 0, "with:and@sign", NULL},
    {"redis://127.0.0.1/", "127.0.0.1", 6379, 0, NULL, NULL},
    {"redis://[::1]", "::1", 6379, 0, NULL, NULL},
    {"redis://[::1]:7000/1", "::1", 7000, 1, NULL, NULL},
    {"redis+unix:/run/redis.sock", NULL, 0, 0, NULL, "/run/redis.sock"},
    {"redis+unix:redis.sock", NULL, 0, 0, NULL, NULL},
    {"redis://redis.example.org", NULL, 0, 0, NULL, NULL},
    {"redis://127.0.0.1:0", NULL, 0, 0, NULL, NULL},
    {"redis://127.0.0.1:65536", NULL, 0, 0, NULL, NULL},
    {"redis://127.0.0.1:six", NULL, 0, 0, NULL, NULL},
    {"redis://127.0.0.1/a", NULL, 0, 0, NULL, NULL},
    {"redis://[::1", NULL, 0, 0, NULL, NULL},
    {"redis://[::1]x", NULL, 0, 0, NULL, NULL},
    {"redis://user:s3cret@127.0.0.1", NULL, 0, 0, NULL, NULL},
    {"redis://:@127.0.0.1", NULL, 0, 0, NULL, NULL},
    {"redis://", NULL, 0, 0, NULL, NULL},
    {"rediss://127.0.0.1", NULL, 0, 0, NULL, NULL},
};

static bool is_text(const char *one, const char *other)
{
    return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

static void test_an_address_is_taken_as_a_whole_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(addresses); i++) {
        struct problems *problems = problems_create();
        char setting[256];
        struct config *config;
        const struct store_rule *store;

        snprintf(setting, sizeof(setting), "store = %s\n", addresses[i].store);
        config = load(setting, problems);
        expect((config != NULL) == (addresses[i].host != NULL || addresses[i].path != NULL), "%s",
               addresses[i].store);
        if (config != NULL) {
            store = &config->replay->store;
            expect(is_text(store->host, addresses[i].host) &&
                       is_text(store->path, addresses[i].path),
                   "%s", addresses[i].store);
            expect(store->database == addresses[i].database &&
                       (store->host == NULL || store->port == addresses[i].port),
                   "%s", addresses[i].store);
            expect(is_text((const char *)store->password.bytes, addresses[i].password), "%s",
                   addresses[i].store);
        } else {
            expect(strstr(problems_at(problems, 0)->text, "redis+unix:PATH") != NULL, "%s: %s",
                   addresses[i].store, said(problems, 0));
        }
        config_destroy(&config);
        problems_destroy(&problems);
    }
}

/* The arena's block as it is: it is freed, and not wiped. */
static void test_a_password_in_a_refused_address_does_not_stay_in_memory(void **state)
{
    static const char *const texts[] = {"redis://user:s3cret@127.0.0.1", "redis://s3cret@127.0.0.1",
                                        "redis://:s3cret@no-address", "redis://127.0.0.1/s3cret"};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        struct arena arena = {.blocks = NULL};
        const char *begin = arena_copy(&arena, "begin", 5);
        struct store_rule rule = {.kind = STORE_MEMORY};
        const char *end;

        expect(store_rule_parse(texts[i], &arena, &rule) != NULL, "%s", texts[i]);
        end = arena_copy(&arena, "end", 3);
        expect(end > begin && end - begin < 1024, "%s: another block", texts[i]);
        expect(memmem(begin, (size_t)(end - begin), "s3cret", 6) == NULL, "%s", texts[i]);
        arena_clear(&arena);
    }
}

#else

static void test_an_address_is_refused_where_there_is_no_hiredis(void **state)
{
    struct problems *problems = problems_create();

    (void)state;
    assert_null(load("store = redis://127.0.0.1\n", problems));
    expect(strstr(problems_at(problems, 0)->text, "this build has no hiredis") != NULL, "%s",
           said(problems, 0));
    problems_destroy(&problems);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef HAVE_REDIS
        cmocka_unit_test(test_a_password_in_a_refused_address_does_not_stay_in_memory),
        cmocka_unit_test(test_an_address_is_taken_as_a_whole_or_refused),
#else
        cmocka_unit_test(test_an_address_is_refused_where_there_is_no_hiredis),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
