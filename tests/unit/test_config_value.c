/* Every setting of the table: its default, its bounds, and what is no value for its kind. */
#include "vectors.h"

#include <inttypes.h>
#include <sys/un.h>

#include "config/value.h"

/* Room for any section's values, aligned for all of them. */
union values {
    struct server_values server;
    struct listen_values listen;
    struct control_values control;
    struct state_values state;
    struct replay_values replay;
    struct http_values http;
    struct log_values log;
    struct host_values host;
    struct key_values key;
};

static struct arena arena;

static int clear_arena(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static const char *name_of(const struct setting *setting)
{
    static char name[64];

    snprintf(name, sizeof(name), "[%s] %s", section_types[setting->section].word, setting->name);
    return name;
}

static bool takes(const struct setting *setting, const char *text)
{
    union values values = {0};
    const char *complaint = value_parse(setting, text, &arena, &values);

    if (setting->kind == VALUE_SECRET)
        secret_clear((struct secret *)((char *)&values + setting->offset));
    return complaint == NULL;
}

static bool is_scaled(const struct setting *setting)
{
    return setting->kind == VALUE_NUMBER || setting->kind == VALUE_SIZE ||
           setting->kind == VALUE_DURATION;
}

/* A setting's unit is one of its bounds': durations are bounded in milliseconds, written in
 * seconds. */
static int64_t unit_of(const struct setting *setting)
{
    return setting->kind == VALUE_DURATION ? 1000 : 1;
}

static bool takes_number(const struct setting *setting, int64_t number)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRId64, number);
    return takes(setting, text);
}

static void every_number_has_bounds_and_takes_them_and_no_more(void **state)
{
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        int64_t unit = unit_of(setting);

        if (!is_scaled(setting))
            continue;
        seen++;
        expect(setting->minimum < setting->maximum, "%s has no bounds", name_of(setting));
        expect(setting->minimum % unit == 0 && setting->maximum % unit == 0, "%s",
               name_of(setting));
        expect(takes_number(setting, setting->minimum / unit), "%s: least", name_of(setting));
        expect(takes_number(setting, setting->maximum / unit), "%s: most", name_of(setting));
        expect(!takes_number(setting, setting->minimum / unit - 1), "%s: below", name_of(setting));
        expect(!takes_number(setting, setting->maximum / unit + 1), "%s: above", name_of(setting));
        expect(!takes_number(setting, INT64_MAX), "%s: far above", name_of(setting));
        expect(!takes_number(setting, -setting->minimum - 1), "%s: negative", name_of(setting));
    }
    assert_true(seen >= 9);
}

static void no_number_takes_what_is_none(void **state)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "x",
                                        "1x",
                                        "0x10",
                                        "1.5",
                                        "1,000",
                                        "+10",
                                        "-10",
                                        "1 0",
                                        "1e3",
                                        "\n1",
                                        "١",
                                        "9223372036854775808",
                                        "99999999999999999999999999",
                                        "k",
                                        "s",
                                        "10ks",
                                        "10 k"};

    (void)state;
    for (size_t i = 0; i < setting_count; i++) {
        for (size_t k = 0; k < LENGTH_OF(texts) && is_scaled(&settings[i]); k++)
            expect(!takes(&settings[i], texts[k]), "%s takes '%s'", name_of(&settings[i]),
                   texts[k]);
    }
}

static void units_scale_and_belong_to_their_kind(void **state)
{
    static const struct {
        const char *name, *text;
        int64_t value; /* -1: refused */
    } rows[] = {
        {"max_pending", "1024", 1024},
        {"max_pending", "64k", 65536},
        {"max_pending", "16m", 16 << 20},
        {"max_pending", "16384k", 16 << 20},
        {"max_pending", "16385k", -1},
        {"max_pending", "17m", -1},
        {"max_pending", "1K", -1},
        {"max_pending", "1g", -1},
        {"max_pending", "64s", -1},
        {"max_pending", "9007199254740993k", -1},
        {"request_timeout", "30", 30000},
        {"request_timeout", "30s", 30000},
        {"request_timeout", "1m", 60000},
        {"request_timeout", "1h", 3600000},
        {"request_timeout", "60m", 3600000},
        {"request_timeout", "61m", -1},
        {"request_timeout", "1d", -1},
        {"request_timeout", "0d", -1},
        {"request_timeout", "500ms", -1},
        {"request_timeout", "1k", -1},
        {"request_timeout", "9223372036854775807d", -1},
        {"request_timeout", "0030s", 30000},
        {"max_connections", "10k", -1},
        {"max_request", "8191", 8191},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const struct setting *setting = setting_find(SECTION_SERVER, rows[i].name);
        union values values = {0};
        int64_t *field = (int64_t *)((char *)&values + setting->offset);
        const char *complaint;

        *field = -1;
        complaint = value_parse(setting, rows[i].text, &arena, &values);
        expect((complaint == NULL) == (rows[i].value >= 0), "%s = %s", rows[i].name, rows[i].text);
        /* Untouched where it is refused. */
        expect(*field == rows[i].value, "%s = %s", rows[i].name, rows[i].text);
    }
}

static void every_choice_takes_its_words_and_no_others(void **state)
{
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];

        if (setting->kind != VALUE_CHOICE)
            continue;
        seen++;
        for (size_t k = 0; setting->choices[k] != NULL; k++) {
            union values values = {0};
            char text[VALUE_TEXT_SIZE];

            assert_null(value_parse(setting, setting->choices[k], &arena, &values));
            assert_int_equal(*(int64_t *)((char *)&values + setting->offset), k);
            assert_string_equal(value_format(setting, &values, text), setting->choices[k]);
        }
        expect(!takes(setting, "") && !takes(setting, "0") && !takes(setting, "true") &&
                   !takes(setting, "nonsense"),
               "%s", name_of(setting));
    }
    assert_true(seen >= 5);
}

static void every_default_is_a_value_and_is_written_as_it_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];
        union values first = {0}, second = {0};
        char text[VALUE_TEXT_SIZE], again[VALUE_TEXT_SIZE];

        expect(value_set_default(setting, &arena, &first) == NULL, "%s", name_of(setting));
        value_format(setting, &first, text);
        if (setting->kind == VALUE_SECRET || (setting->initial == NULL && text[0] == '\0'))
            continue;
        expect(value_parse(setting, text, &arena, &second) == NULL, "%s = %s", name_of(setting),
               text);
        expect(strcmp(value_format(setting, &second, again), text) == 0, "%s: %s, then %s",
               name_of(setting), text, again);
    }
}

static void every_setting_is_found_by_its_name_and_has_a_place_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];

        expect(setting_find(setting->section, setting->name) == setting, "%s twice",
               name_of(setting));
        expect(setting_place(setting) < SECTION_SETTINGS_MAX, "%s", name_of(setting));
        expect(setting->offset < section_types[setting->section].values_size, "%s",
               name_of(setting));
        expect(setting->meaning != NULL && setting->meaning[0] != '\0', "%s", name_of(setting));
        for (size_t k = 0; k < i; k++) {
            if (settings[k].section == setting->section)
                expect(setting_place(&settings[k]) != setting_place(setting) &&
                           settings[k].offset != setting->offset,
                       "%s", name_of(setting));
        }
    }
    assert_null(setting_find(SECTION_SERVER, "otp_seed"));
    assert_null(setting_find(SECTION_HOST, "listen"));
    assert_null(setting_find(SECTION_HOST, ""));
}

static void paths_are_absolute_and_sockets_short(void **state)
{
    char longest[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 2];

    (void)state;
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];

        if (setting->kind != VALUE_PATH && setting->kind != VALUE_SOCKET_PATH)
            continue;
        expect(takes(setting, "/x"), "%s", name_of(setting));
        expect(!takes(setting, "x") && !takes(setting, "./x") && !takes(setting, "~/x"), "%s",
               name_of(setting));
        /* Where there is none unless one is set, that may be written down. */
        expect(takes(setting, "") == (setting->initial != NULL && setting->initial[0] == '\0'),
               "%s", name_of(setting));
        memset(longest, 'x', sizeof(longest));
        longest[0] = '/';
        longest[107] = '\0';
        expect(takes(setting, longest), "%s: 107 bytes", name_of(setting));
        longest[107] = 'x';
        longest[108] = '\0';
        expect(takes(setting, longest) == (setting->kind == VALUE_PATH), "%s: 108 bytes",
               name_of(setting));
    }
}

static void a_mode_is_octal_and_lets_the_daemon_in(void **state)
{
    static const struct {
        const char *text;
        int64_t mode; /* -1: refused */
    } rows[] = {
        {"0600", 0600}, {"0660", 0660}, {"0666", 0666}, {"0777", 0777}, {"660", 0660},
        {"0640", 0640}, {"0400", -1},   {"0200", -1},   {"0060", -1},   {"1777", -1},
        {"4660", -1},   {"0680", -1},   {"66", -1},     {"00660", -1},  {"", -1},
        {"rw-", -1},    {"0o660", -1},  {"-660", -1},   {"0660 ", -1},
    };
    const struct setting *setting = setting_find(SECTION_SERVER, "mode");

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct server_values values = {.access.mode = -1};
        const char *complaint = value_parse(setting, rows[i].text, &arena, &values);

        expect((complaint == NULL) == (rows[i].mode >= 0) && values.access.mode == rows[i].mode,
               "mode = %s", rows[i].text);
    }
}

static void names_are_parted_by_blanks_and_commas(void **state)
{
    static const struct {
        const char *text;
        size_t count;
        const char *written;
    } rows[] = {
        {"", 0, ""},        {" , ,", 0, ""},           {"a", 1, "a"},
        {"a b", 2, "a b"},  {"a,b", 2, "a b"},         {" a ,\tb, ", 2, "a b"},
        {"a,,b", 2, "a b"}, {"a b c d", 4, "a b c d"}, {"a-b.c", 1, "a-b.c"},
    };
    const struct setting *setting = setting_find(SECTION_SERVER, "allow_users");

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct server_values values = {0};
        char text[VALUE_TEXT_SIZE];

        assert_null(value_parse(setting, rows[i].text, &arena, &values));
        expect(values.access.allow_users.count == rows[i].count, "row %zu", i);
        expect(strcmp(value_format(setting, &values, text), rows[i].written) == 0, "row %zu: %s", i,
               text);
    }
}

static void a_secret_is_one_word_and_never_written(void **state)
{
    static const char *const refused[] = {"", " ", "two words", "a\tb", "a\x01", "a\x7f", "\n"};
    const struct setting *setting = setting_find(SECTION_HOST, "token_secret");
    struct host_values values = {0};
    char text[VALUE_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(refused); i++)
        expect(!takes(setting, refused[i]), "row %zu", i);
    assert_string_equal(value_format(setting, &values, text), "");
    assert_null(value_parse(setting, "first", &arena, &values));
    assert_non_null(value_parse(setting, "two words", &arena, &values));
    assert_int_equal(values.key.token_secret.size, 5);
    assert_memory_equal(values.key.token_secret.bytes, "first", 5);
    /* Another takes its place, and the first is released. */
    assert_null(value_parse(setting, "j\xc3\xbcrgen", &arena, &values));
    assert_memory_equal(values.key.token_secret.bytes, "j\xc3\xbcrgen", 7);
    assert_string_equal(value_format(setting, &values, text), "(secret)");
    secret_clear(&values.key.token_secret);
    assert_null(values.key.token_secret.bytes);
}

static void secrets_are_equal_by_all_their_bytes(void **state)
{
    struct secret one = {0}, other = {0}, absent = {0};

    (void)state;
    assert_int_equal(secret_set(&one, "abc\0x", 5), 0);
    assert_int_equal(secret_set(&other, "abc\0y", 5), 0);
    assert_true(secret_equal(&one, &one));
    assert_false(secret_equal(&one, &other));
    assert_false(secret_equal(&one, &absent));
    secret_clear(&other);
    assert_int_equal(secret_set(&other, "abc", 3), 0);
    assert_false(secret_equal(&one, &other));
    secret_clear(&one);
    secret_clear(&other);
    secret_clear(&absent);
}

static void who_exists(void **state)
{
    static const struct {
        const char *text;
        int mode; /* -1: refused */
        const char *path;
    } rows[] = {
        {"always", IS_USER_ALWAYS, NULL},
        {"never", IS_USER_NEVER, NULL},
        {"file:/x", IS_USER_FILE, "/x"},
        {"file:", -1, NULL},
        {"file:x", -1, NULL},
        {"file: /x", -1, NULL},
        {"file", -1, NULL},
        {"", -1, NULL},
        {"Always", -1, NULL},
        {"/x", -1, NULL},
    };
    const struct setting *setting = setting_find(SECTION_HOST, "isuser");

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct host_values values = {0};
        char text[VALUE_TEXT_SIZE];
        const char *complaint = value_parse(setting, rows[i].text, &arena, &values);

        expect((complaint == NULL) == (rows[i].mode >= 0), "isuser = %s", rows[i].text);
        if (complaint != NULL)
            continue;
        expect((int)values.is_user.mode == rows[i].mode, "isuser = %s", rows[i].text);
        assert_string_equal(value_format(setting, &values, text), rows[i].text);
    }
}

static void times_are_those_of_rfc_3339(void **state)
{
    static const struct {
        const char *text;
        bool taken;
        int64_t seconds;
    } rows[] = {
        {"2027-01-01T00:00:00Z", true, 1798761600},
        {"2027-01-01T01:00:00+01:00", true, 1798761600},
        {"1970-01-01T00:00:00Z", true, 0},
        {"", true, INT64_MIN},
        {"2027-01-01", false, 0},
        {"tomorrow", false, 0},
        {"1798761600", false, 0},
        {"2027-02-29T00:00:00Z", false, 0},
    };
    const struct setting *setting = setting_find(SECTION_KEY, "accept_from");

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct key_values values = {.accept_from = 7};
        const char *complaint = value_parse(setting, rows[i].text, &arena, &values);

        expect((complaint == NULL) == rows[i].taken, "accept_from = %s", rows[i].text);
        expect(values.accept_from == (rows[i].taken ? rows[i].seconds : 7), "accept_from = %s",
               rows[i].text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_has_bounds_and_takes_them_and_no_more),
        cmocka_unit_test(no_number_takes_what_is_none),
        cmocka_unit_test(units_scale_and_belong_to_their_kind),
        cmocka_unit_test(every_choice_takes_its_words_and_no_others),
        cmocka_unit_test(every_default_is_a_value_and_is_written_as_it_is_read),
        cmocka_unit_test(every_setting_is_found_by_its_name_and_has_a_place_of_its_own),
        cmocka_unit_test(paths_are_absolute_and_sockets_short),
        cmocka_unit_test(a_mode_is_octal_and_lets_the_daemon_in),
        cmocka_unit_test(names_are_parted_by_blanks_and_commas),
        cmocka_unit_test(a_secret_is_one_word_and_never_written),
        cmocka_unit_test(secrets_are_equal_by_all_their_bytes),
        cmocka_unit_test(who_exists),
        cmocka_unit_test(times_are_those_of_rfc_3339),
    };

    return cmocka_run_group_tests_name("config/value", tests, NULL, clear_arena);
}
