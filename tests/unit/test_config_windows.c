/* For how long each host's spent tokens are kept, with other hosts beside it: against a look at every
 * second. */
#include "test_config_rules.h"

#include "config/windows.h"

/* The last second at which any host accepts a token of a time, counted from that time. */
static int64_t last_second(const struct config *config, int64_t time)
{
    int64_t last = INT64_MIN;

    for (size_t i = 0; i < config->host_count; i++) {
        const struct token_format *format = &config->hosts[i].format;
        int64_t end = (time / format->interval + format->window + 1) * (int64_t)format->interval;

        if (end > last)
            last = end;
    }
    return last;
}

static void a_record_is_kept_while_any_host_accepts_its_time_and_hardly_longer(void **state)
{
    static const struct {
        const char *name;
        unsigned count;
        struct {
            unsigned interval, window;
        } hosts[3];
        unsigned kept[3]; /* steps */
    } rows[] = {
        {"alone", 1, {{30, 1}}, {1}},
        {"alone, without a window", 1, {{30, 0}}, {0}},
        {"alone, the longest step", 1, {{900, 0}}, {0}},
        {"alone, the shortest step", 1, {{1, 10}}, {10}},
        {"two of the same", 2, {{30, 1}, {30, 1}}, {1, 1}},
        {"another of the same step with a wider window", 2, {{30, 1}, {30, 3}}, {3, 3}},
        {"the wider first", 2, {{30, 3}, {30, 1}}, {3, 3}},
        {"longer steps", 2, {{30, 1}, {60, 1}}, {4, 1}},
        {"longer steps without a window", 2, {{30, 0}, {60, 0}}, {2, 1}},
        {"shorter steps with a wide window", 2, {{60, 0}, {30, 10}}, {6, 10}},
        {"steps that don't divide each other", 2, {{7, 0}, {30, 1}}, {9, 1}},
        {"the longest beside the shortest", 2, {{1, 0}, {900, 0}}, {900, 1}},
        {"three", 3, {{30, 1}, {45, 2}, {20, 0}}, {5, 2, 7}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char text[2000];
        size_t length = 0;
        struct config *config;

        for (unsigned k = 0; k < rows[i].count; k++)
            length += (size_t)snprintf(text + length, sizeof(text) - length,
                                       "[host %u.example]\notp_interval = %u\notp_window = "
                                       "%u\n" KEY_OF("A"),
                                       k, rows[i].hosts[k].interval, rows[i].hosts[k].window);
        config = good_config(text);
        for (unsigned k = 0; k < rows[i].count; k++) {
            const struct host *host = &config->hosts[k];
            int64_t interval = host->format.interval;

            expect(host->keep_window == rows[i].kept[k], "%s, host %u: %u", rows[i].name, k,
                   host->keep_window);
            for (int64_t time = 1000000; time < 1000000 + 1800; time++)
                expect((time / interval + host->keep_window + 1) * interval >=
                           last_second(config, time),
                       "%s, host %u: %lld", rows[i].name, k, (long long)time);
        }
        config_destroy(&config);
    }
}

/* Its hosts stand at the end of their memory. */
static void nothing_is_read_behind_the_last_host(void **state)
{
    const struct host hosts[] = {{.name = "a", .format = {.interval = 30, .window = 1}},
                                 {.name = "b", .format = {.interval = 60, .window = 1}}};
    struct config config = {.hosts = exact_copy(hosts, sizeof(hosts)), .host_count = 2};

    (void)state;
    windows_settle(&config);
    assert_int_equal(config.hosts[0].keep_window, 4);
    assert_int_equal(config.hosts[1].keep_window, 1);
    free(config.hosts);
}

/* By how many seconds each kind may come before its step, and the furthest of all hosts. */
static void how_far_settings_reach_is_known_for_each_kind(void **state)
{
    static const struct {
        const char *name;
        struct token_format formats[2];
        unsigned reach[2][TOKEN_JSXC + 1];
        unsigned furthest[TOKEN_JSXC + 1];
    } rows[] = {
        {"v1 alone",
         {{.interval = 30, .window = 1}, {.interval = 30, .window = 1}},
         {{30, 0, 0}, {30, 0, 0}},
         {30, 0, 0}},
        {"the first further",
         {{.interval = 30, .window = 3}, {.interval = 60, .window = 1}},
         {{90, 0, 0}, {60, 0, 0}},
         {90, 0, 0}},
        {"the second further",
         {{.interval = 30, .window = 1}, {.interval = 60, .window = 1}},
         {{30, 0, 0}, {60, 0, 0}},
         {60, 0, 0}},
        {"v2 without v1",
         {{.interval = 30, .window = 1, .refuses_v1 = true, .accepts_v2 = true, .max_lifetime = 60},
          {.interval = 30, .window = 0}},
         {{0, 30, 0}, {0, 0, 0}},
         {0, 30, 0}},
        {"JSXC's lifetime, which they don't tell",
         {{.interval = 30, .window = 2, .accepts_jsxc = true, .jsxc_max_lifetime = 600},
          {.interval = 30, .window = 1}},
         {{60, 0, 660}, {30, 0, 0}},
         {60, 0, 660}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct host hosts[2] = {{.name = "a", .format = rows[i].formats[0]},
                                {.name = "b", .format = rows[i].formats[1]}};
        struct config config = {.hosts = hosts, .host_count = 2};

        windows_settle(&config);
        for (size_t kind = TOKEN_V1; kind <= TOKEN_JSXC; kind++) {
            for (size_t k = 0; k < 2; k++)
                expect(hosts[k].reach[kind] == rows[i].reach[k][kind], "%s, host %zu, kind %zu: %u",
                       rows[i].name, k, kind, hosts[k].reach[kind]);
            expect(config.reach.seconds[kind] == rows[i].furthest[kind], "%s, kind %zu: %u",
                   rows[i].name, kind, (unsigned)config.reach.seconds[kind]);
        }
    }
}

static uint64_t settings_of(const char *text)
{
    struct config *config = good_config(text);
    uint64_t sum = config->reach.settings;

    config_destroy(&config);
    return sum;
}

/* Hosts in another order are the same settings, and any other change is a change. */
static void settings_are_told_apart_but_for_the_hosts_order(void **state)
{
#define A_HOST "[host a.example]\n" KEY_OF("A")
#define B_HOST "[host b.example]\n" KEY_OF("B")
    static const char *const others[] = {
        A_HOST,
        B_HOST A_HOST "[host c.example]\n" KEY_OF("C"),
        "[host a.example]\notp_window = 2\n" KEY_OF("A") B_HOST,
        A_HOST "[host b.example]\notp_window = 2\n" KEY_OF("B"),
        "[host a.example]\naccept = v1, v2\n" KEY_OF("A") B_HOST,
        "[host a.example]\naccept = v2\n" KEY_OF("A") B_HOST,
    };
    uint64_t sum = settings_of(A_HOST B_HOST);

    (void)state;
    assert_int_equal(settings_of(B_HOST A_HOST), sum);
    for (size_t i = 0; i < LENGTH_OF(others); i++) {
        expect(settings_of(others[i]) != sum, "row %zu", i);
        for (size_t k = 0; k < i; k++)
            expect(settings_of(others[i]) != settings_of(others[k]), "rows %zu and %zu", i, k);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_kept_while_any_host_accepts_its_time_and_hardly_longer),
        cmocka_unit_test(nothing_is_read_behind_the_last_host),
        cmocka_unit_test(how_far_settings_reach_is_known_for_each_kind),
        cmocka_unit_test(settings_are_told_apart_but_for_the_hosts_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
