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
    const struct host hosts[] = {{.format = {.interval = 30, .window = 1}},
                                 {.format = {.interval = 60, .window = 1}}};
    struct config config = {.hosts = exact_copy(hosts, sizeof(hosts)), .host_count = 2};

    (void)state;
    windows_settle(&config);
    assert_int_equal(config.hosts[0].keep_window, 4);
    assert_int_equal(config.hosts[1].keep_window, 1);
    free(config.hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_kept_while_any_host_accepts_its_time_and_hardly_longer),
        cmocka_unit_test(nothing_is_read_behind_the_last_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
