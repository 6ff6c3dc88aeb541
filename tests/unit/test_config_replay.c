/* The store's password from its file, and what is wrong with where the store is. */
#include "test_config_rules.h"

#ifdef HAVE_REDIS

#include <dlfcn.h>

#include <openssl/crypto.h>

static bool secret_memory_is_short;

void *CRYPTO_secure_malloc(size_t size, const char *file, int line)
{
    static __typeof__(CRYPTO_secure_malloc) *real;

    if (secret_memory_is_short)
        return NULL;
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "CRYPTO_secure_malloc");
    return real(size, file, line);
}

/* How often memory was wiped that held this. */
static const char *watched;
static unsigned wiped;

static void wipe(void *memory, size_t size)
{
    for (size_t i = 0; watched != NULL && i + strlen(watched) <= size; i++)
        wiped += memcmp((const char *)memory + i, watched, strlen(watched)) == 0;
    OPENSSL_cleanse(memory, size);
}

/* In the place of libc's, the second where it checks the size. */
void libc_wipe(void *memory, size_t size) __asm__("explicit_bzero");
void libc_wipe_checked(void *memory, size_t size, size_t room) __asm__("__explicit_bzero_chk");

void libc_wipe(void *memory, size_t size)
{
    wipe(memory, size);
}

void libc_wipe_checked(void *memory, size_t size, size_t room)
{
    assert_true(size <= room);
    wipe(memory, size);
}

#define HOST "[host h.example]\n" KEY_OF("A")

#define NO_FILE    "redis_password_file without a redis store does nothing"
#define TWICE      "redis_password_file: the store's address has a password already"
#define NOT_SECRET "its first line is no password"
#define ON_NETWORK                                                                                 \
    "store: a Redis on the network without a password; whoever reaches it can make spent tokens "  \
    "good again"

static void a_store_on_the_network_has_one_password(void **state)
{
    static const struct {
        const char *name, *store;
        bool has_file, loads;
        const char *problem;
    } rows[] = {
        {"a journal", "journal", false, true, NULL},
        {"a file for a journal", "journal", true, false, "3: " NO_FILE},
        {"a file for the memory", "memory", true, false, "3: " NO_FILE},
        {"a socket", "redis+unix:/run/redis.sock", false, true, NULL},
        {"a socket and a file", "redis+unix:/run/redis.sock", true, true, NULL},
        {"this machine", "redis://127.0.0.1:6379/0", false, true, NULL},
        {"a network", "redis://192.0.2.1:6379/0", false, true, "2: " ON_NETWORK},
        {"a network with a password", "redis://:word@192.0.2.1:6379/0", false, true, NULL},
        {"a network and a file", "redis://192.0.2.1:6379/0", true, true, NULL},
        {"both", "redis://:word@192.0.2.1:6379/0", true, false, "3: " TWICE},
    };
    char file[FILE_PATH_SIZE];

    (void)state;
    write_text(file, "a password\n");
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct problems *problems = problems_create();
        const char *const expected[] = {rows[i].problem, NULL};
        struct config *config;
        char text[1000];

        snprintf(text, sizeof(text), "[replay]\nstore = %s\n%s%s\n" HOST, rows[i].store,
                 rows[i].has_file ? "redis_password_file = " : "", rows[i].has_file ? file : "");
        config = load_text(text, problems);
        expect_problems(problems, expected, i);
        expect((config != NULL) == rows[i].loads, "%s", rows[i].name);
        if (config != NULL && rows[i].has_file)
            assert_string_equal((const char *)config->replay->store.password.bytes, "a password");
        config_destroy(&config);
        problems_destroy(&problems);
    }
    unlink(file);
}

/* 511 bytes, and one more. */
#define X_50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X_500 X_50 X_50 X_50 X_50 X_50 X_50 X_50 X_50 X_50 X_50
#define X_511 X_500 "xxxxxxxxxxx"

static void the_first_line_is_the_password(void **state)
{
    static const struct {
        const char *name, *content;
        const char *password; /* NULL: none */
    } rows[] = {
        {"a line", "word\n", "word"},
        {"a line without its end", "word", "word"},
        {"the first of two", "word\nother\n", "word"},
        {"blanks behind it", "word \t\r\n", "word"},
        {"blanks within", " two  words\n", " two  words"},
        {"a letter", "w\n", "w"},
        {"an empty file", "", NULL},
        {"an empty line", "\n", NULL},
        {"an empty line before", "\nword\n", NULL},
        {"blanks alone", "  \t\n", NULL},
        {"the longest", X_511 "\n", X_511},
        {"a byte more", X_511 "x\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct problems *problems = problems_create();
        char file[FILE_PATH_SIZE], text[1000];
        struct config *config;

        write_text(file, rows[i].content);
        snprintf(text, sizeof(text),
                 "[replay]\nstore = redis://192.0.2.1:6379/0\nredis_password_file = %s\n" HOST,
                 file);
        config = load_text(text, problems);
        expect((config != NULL) == (rows[i].password != NULL), "%s", rows[i].name);
        expect((problems_count(problems) == 0) == (rows[i].password != NULL), "%s", rows[i].name);
        if (config != NULL) {
            const struct secret *password = &config->replay->store.password;

            /* Its terminator counts, for hiredis takes a string. */
            expect(password->size == strlen(rows[i].password) + 1, "%s: %zu", rows[i].name,
                   password->size);
            expect(strcmp((const char *)password->bytes, rows[i].password) == 0, "%s",
                   rows[i].name);
        } else {
            /* Of a file, not of a line. */
            expect(strstr(problems_at(problems, 0)->text, ": " NOT_SECRET) != NULL &&
                       strstr(problems_at(problems, 0)->text, ":1:") == NULL,
                   "%s: %s", rows[i].name, problems_at(problems, 0)->text);
        }
        config_destroy(&config);
        problems_destroy(&problems);
        unlink(file);
    }
}

/* A store without its password would be asked without one. */
static void a_password_that_finds_no_memory_is_an_error_of_the_file(void **state)
{
    struct problems *problems = problems_create();
    char file[FILE_PATH_SIZE], text[1000];

    (void)state;
    write_text(file, "word\n");
    snprintf(text, sizeof(text),
             "[replay]\nstore = redis+unix:/run/redis.sock\nredis_password_file = %s\n"
             "[host h.example]\nsecrets_file = /nowhere\n",
             file);
    secret_memory_is_short = true;
    assert_null(load_text(text, problems));
    secret_memory_is_short = false;
    assert_string_equal(said(problems, 0), " memory is short");
    problems_destroy(&problems);
    unlink(file);
}

/* Between the file and the memory for secrets it stands in a place of its own for a while. */
static void a_password_is_left_nowhere_but_in_the_memory_for_secrets(void **state)
{
    char file[FILE_PATH_SIZE], text[1000];

    (void)state;
    watched = "sesame-of-the-store";
    write_text(file, "sesame-of-the-store\n");
    snprintf(text, sizeof(text),
             "[replay]\nstore = redis+unix:/run/redis.sock\nredis_password_file = %s\n" HOST, file);
    for (int is_short = 0; is_short < 2; is_short++) {
        struct problems *problems = problems_create();
        struct config *config;

        wiped = 0;
        secret_memory_is_short = is_short;
        config = load_text(text, problems);
        secret_memory_is_short = false;
        expect(wiped == 1, "wiped %u times, where memory %s", wiped, is_short ? "is short" : "is");
        assert_int_equal(config == NULL, is_short);
        config_destroy(&config);
        problems_destroy(&problems);
    }
    watched = NULL;
    unlink(file);
}

/* The chat server's group may open the socket: with the password it could make spent tokens good
 * again, and with the secrets mint its own. */
static void a_file_that_others_or_the_sockets_group_can_read_is_refused(void **state)
{
    static const struct {
        const char *name;
        mode_t password_mode, secrets_mode;
        const char *problems[2]; /* in what is said */
    } rows[] = {
        {"for the daemon alone", 0600, 0600, {NULL}},
        {"the password for others", 0604, 0600, {": everybody can read it"}},
        {"the password for the group", 0640, 0600, {":6: "}},
        {"the secrets for the group", 0600, 0640, {":8: "}},
        {"both for the group", 0640, 0640, {":6: ", ":8: "}},
    };
    char password[FILE_PATH_SIZE], secrets[FILE_PATH_SIZE], text[1000];

    (void)state;
    write_text(password, "word\n");
    write_text(secrets, "[a]\n" KEY_OF("A"));
    snprintf(text, sizeof(text),
             "[server]\ngroup = %u\nmode = 0660\n[replay]\nstore = redis+unix:/run/redis.sock\n"
             "redis_password_file = %s\n[host h.example]\nsecrets_file = %s\n",
             getegid(), password, secrets);
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct problems *problems = problems_create();
        struct config *config;
        size_t count = 0;

        assert_int_equal(chmod(password, rows[i].password_mode), 0);
        assert_int_equal(chmod(secrets, rows[i].secrets_mode), 0);
        config = load_text(text, problems);
        for (; count < LENGTH_OF(rows[i].problems) && rows[i].problems[count] != NULL; count++) {
            expect(count < problems_count(problems), "%s: nothing is said", rows[i].name);
            expect(strstr(problems_at(problems, count)->text, rows[i].problems[count]) != NULL,
                   "%s: %s", rows[i].name, problems_at(problems, count)->text);
        }
        expect(problems_count(problems) == count, "%s: %s", rows[i].name, said(problems, count));
        expect((config != NULL) == (count == 0), "%s", rows[i].name);
        config_destroy(&config);
        problems_destroy(&problems);
    }
    unlink(password);
    unlink(secrets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_store_on_the_network_has_one_password),
        cmocka_unit_test(the_first_line_is_the_password),
        cmocka_unit_test(a_password_that_finds_no_memory_is_an_error_of_the_file),
        cmocka_unit_test(a_password_is_left_nowhere_but_in_the_memory_for_secrets),
        cmocka_unit_test(a_file_that_others_or_the_sockets_group_can_read_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0;
}

#endif
