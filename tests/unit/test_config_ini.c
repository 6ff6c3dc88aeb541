/* inih's traps: each a problem in our own file, and no harm in somebody else's. */
#include "test_config_files.h"

#include "config/ini.h"

/* What was read, as one text: [section] and name=value, each with its line; + where it goes on. */
static char heard[4096];

static void hear_section(void *context, const char *name, int line)
{
    size_t used = strlen(heard);

    assert_ptr_equal(context, heard);
    snprintf(heard + used, sizeof(heard) - used, "%d[%s] ", line, name);
}

static void hear_setting(void *context, const char *name, const char *value, bool continued,
                         int line)
{
    size_t used = strlen(heard);

    assert_ptr_equal(context, heard);
    snprintf(heard + used, sizeof(heard) - used, "%d%s%s=%.20s ", line, continued ? "+" : "", name,
             value);
}

static void read_as(enum ini_manner manner, const char *content, size_t size,
                    struct problems *problems)
{
    static const struct ini_callbacks callbacks = {hear_section, hear_setting};
    char path[FILE_PATH_SIZE];
    struct source_file file;

    heard[0] = '\0';
    write_file(path, content, size);
    assert_int_equal(source_file_open(&file, path, true, problems, path, 0), 0);
    ini_read(&file, manner, problems, &callbacks, heard);
    source_file_close(&file);
    unlink(path);
}

#define LONG_198                                                                                   \
    "name = 890123456789012345678901234567890123456789012345678901234567890123456789012345"        \
    "6789012345678901234567890123456789012345678901234567890123456789012345678901234567890"        \
    "1234567890123456789012345678"

#define INDENTED     "this line is indented: a setting or header starts in the first column"
#define BROKEN       "this section header does not end with ]"
#define TOO_LONG     "this line is too long: at most 198 bytes"
#define NO_SETTING   "this line is neither a setting (name = value) nor a section header"
#define NUL_BYTE     "this line holds a NUL byte"
#define TEXT(string) (string), sizeof(string) - 1

static const struct {
    const char *content;
    size_t size;
    const char *strict, *foreign;
    const char *problems[3]; /* of the strict manner */
} rows[] = {
    {TEXT(""), "", "", {NULL}},
    {TEXT("a = 1\n"), "1a=1 ", "1a=1 ", {NULL}},
    {TEXT("a=1"), "1a=1 ", "1a=1 ", {NULL}},
    {TEXT("a : 1\n"), "1a=1 ", "1a=1 ", {NULL}},
    {TEXT("a = b = c\n"), "1a=b = c ", "1a=b = c ", {NULL}},
    {TEXT("a = 1 ; x\nb = 1;x\nc = ; x\n"), "1a=1 2b=1;x 3c= ", "1a=1 2b=1;x 3c= ", {NULL}},
    {TEXT("; a = 1\n# b = 2\n\n \t\n  ; c = 3\n"), "", "", {NULL}},
    {TEXT("[s]\r\na = 1\r\n"), "1[s] 2a=1 ", "1[s] 2a=1 ", {NULL}},
    {TEXT("[ s t ] ; x\n[u]# x\n[v]\t\n"), "1[s t] 2[u] 3[v] ", "1[s t] 2[u] 3[v] ", {NULL}},
    {TEXT("\xEF\xBB\xBF[s]\na = 1\n"), "1[s] 2a=1 ", "1[s] 2a=1 ", {NULL}},
    {TEXT("\xEF\xBB\xBF"
          "a = 1\n"),
     "1a=1 ",
     "1a=1 ",
     {NULL}},
    /* The second key would be a second value of the first. */
    {TEXT("a = 1\n  b = 2\n"), "1a=1 ", "1a=1 2+a=b = 2 ", {"2: " INDENTED, NULL}},
    {TEXT("a = 1\n\tb\n"), "1a=1 ", "1a=1 2+a=b ", {"2: " INDENTED, NULL}},
    {TEXT("[s]\n [t]\n"), "1[s] ", "1[s] ", {"2: " INDENTED, NULL}},
    /* Its settings would be the section's before. */
    {TEXT("[s]\n[t\na = 1\n[u]\nb = 2\n"),
     "1[s] 4[u] 5b=2 ",
     "1[s] 3a=1 4[u] 5b=2 ",
     {"2: " BROKEN, NULL}},
    {TEXT("[s] x\na = 1\n[t]]\nb = 2\n"), "", "2a=1 4b=2 ", {"1: " BROKEN, "3: " BROKEN, NULL}},
    /* The rest would be lost without a word. */
    {TEXT(LONG_198 "\nb = 2\n"),
     "1name=89012345678901234567 2b=2 ",
     "1name=89012345678901234567 2b=2 ",
     {NULL}},
    {TEXT(LONG_198 "x\nb = 2\n"), "2b=2 ", "2b=2 ", {"1: " TOO_LONG, NULL}},
    {TEXT("; " LONG_198 LONG_198 "\nb = 2\n"), "2b=2 ", "2b=2 ", {NULL}},
    {TEXT("a = 1\0x\nb = 2\n"), "2b=2 ", "2b=2 ", {"1: " NUL_BYTE, NULL}},
    {TEXT("\0\n"), "", "", {"1: " NUL_BYTE, NULL}},
    {TEXT("word\n]\nb = 2\n"), "3b=2 ", "3b=2 ", {"1: " NO_SETTING, "2: " NO_SETTING, NULL}},
    {TEXT("[]\n[s"), "1[] ", "1[] ", {"2: " BROKEN, NULL}},
    /* Beyond inih's 49 bytes. */
    {TEXT("[0123456789012345678901234567890123456789012345678901234567890123]\n"),
     "1[0123456789012345678901234567890123456789012345678901234567890123] ",
     "1[0123456789012345678901234567890123456789012345678901234567890123] ",
     {NULL}},
};

static void every_trap_is_a_problem_in_our_own_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct problems *problems = problems_create();

        read_as(INI_STRICT, rows[i].content, rows[i].size, problems);
        expect(strcmp(heard, rows[i].strict) == 0, "row %zu: %s", i, heard);
        expect_problems(problems, rows[i].problems, i);
        problems_destroy(&problems);
    }
}

static void a_foreign_file_is_read_without_complaint(void **state)
{
    static const char *const none[] = {NULL};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct problems *problems = problems_create();

        read_as(INI_FOREIGN, rows[i].content, rows[i].size, problems);
        expect(strcmp(heard, rows[i].foreign) == 0, "row %zu: %s", i, heard);
        expect_problems(problems, none, i);
        problems_destroy(&problems);
    }
}

static void any_bytes_are_read_to_their_end(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (size_t round = 0; round < 300; round++) {
        static const char alphabet[] = "a=:[];#\n\n\n \t\r\0\xEF\xBB\xBF\"";
        char content[600];
        struct problems *problems = problems_create();

        for (size_t i = 0; i < sizeof(content); i++)
            content[i] = alphabet[random_below(&seed, sizeof(alphabet) - 1)];
        heard[0] = '\0';
        read_as(round % 2 == 0 ? INI_STRICT : INI_FOREIGN, content,
                random_below(&seed, sizeof(content)), problems);
        problems_destroy(&problems);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_trap_is_a_problem_in_our_own_file),
        cmocka_unit_test(a_foreign_file_is_read_without_complaint),
        cmocka_unit_test(any_bytes_are_read_to_their_end),
    };

    return cmocka_run_group_tests_name("config/ini", tests, NULL, NULL);
}
