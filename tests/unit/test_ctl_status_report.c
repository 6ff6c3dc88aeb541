/* The daemon's status read back, whatever it holds, and the words that are made of it. */
#include "vectors.h"

#include "ctl/status_report.h"
#include "ctl/status_text.h"

static struct status_report report, earlier;

static void a_status_is_read(void **state)
{
    (void)state;
    assert_int_equal(
        status_report_read(&report,
                           "what=daemon version=1.2.3 pid=7 uptime_s=61 state=running hosts=2 "
                           "reloads=3 failed_reloads=1 last_reload=failed users_denied=4\n"
                           "what=connections open=5 max=6 pending_bytes=7\n"
                           "what=replay store=journal state=open spent=8 errors=9 "
                           "failure=\"no space\"\n"
                           "what=verdicts question=auth reason=allowed count=10\n"
                           "what=verdicts question=auth reason=starting count=11\n"
                           "what=verdicts question=auth reason=forged count=12\n"
                           "what=verdicts question=isuser reason=unknown-user count=13\n"
                           "what=verdicts question=auth reason=no-such-reason count=14\n"
                           "what=something-new x=1\n"
                           "what=host host=a.example allowed=1 denied=2 undecided=3 "
                           "clock_offset_s=-7200\n"),
        0);
    assert_string_equal(report.version, "1.2.3");
    assert_string_equal(report.failure, "no space");
    assert_int_equal(report.uptime_s, 61);
    assert_true(report.reload_failed);
    assert_int_equal(report.clients_max, 6);
    assert_int_equal(report.spent, 8);
    assert_int_equal(report.is_user[REASON_UNKNOWN_USER], 13);
    assert_int_equal(status_report_sums(&report).allowed, 10);
    assert_int_equal(status_report_sums(&report).undecided, 11);
    assert_int_equal(status_report_sums(&report).denied, 12);
    assert_int_equal(report.listed_count, 1);
    assert_int_equal(report.listed[0].clock_offset, -7200);
}

static void what_is_no_status_is_refused_and_nothing_moves_a_cursor(void **state)
{
    static const char *const rows[] = {"",
                                       "\n",
                                       "what=replay store=memory\n",
                                       "what=\n",
                                       "\x1b[2J",
                                       "what=daemon\n",
                                       "what=daemon version=\n"};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect(status_report_read(&report, rows[i]) == -1, "row %zu", i);
    assert_int_equal(
        status_report_read(&report, "what=daemon version=\"\x1b[2J\xc3\x84\" uptime_s=-1 pid=x\n"),
        0);
    assert_string_equal(report.version, "?[2J??");
    assert_int_equal(report.uptime_s, 0);
}

static void more_lines_than_there_is_room_for_are_left_out(void **state)
{
    char *text = calloc(1, 100000);
    size_t length;

    (void)state;
    assert_non_null(text);
    length = (size_t)sprintf(text, "what=daemon version=1\n");
    for (int i = 0; i < 1000; i++)
        length += (size_t)sprintf(text + length,
                                  "what=host host=h%d allowed=1\n"
                                  "what=latency above_us=%d within_us=%d count=1\n",
                                  i, i, i + 1);
    assert_int_equal(status_report_read(&report, text), 0);
    assert_int_equal(report.listed_count, REPORT_HOSTS_MAX);
    assert_int_equal(report.bucket_count, REPORT_BUCKETS_MAX);
    free(text);
}

static void quantiles_are_of_what_is_new(void **state)
{
    static const char before[] = "what=daemon version=1\n"
                                 "what=latency above_us=0 within_us=10 count=100\n";
    static const char after[] = "what=daemon version=1\n"
                                "what=latency above_us=0 within_us=10 count=150\n"
                                "what=latency above_us=100 within_us=200 count=50\n";
    static const char slow[] = "what=daemon version=1\n"
                               "what=latency above_us=2000000 within_us=more count=3\n";

    (void)state;
    assert_int_equal(status_report_read(&earlier, before), 0);
    assert_int_equal(status_report_read(&report, after), 0);
    assert_true(status_report_quantile(&report, &earlier, 0.25) == 5);
    assert_true(status_report_quantile(&report, &earlier, 0.5) == 10);
    assert_true(status_report_quantile(&report, &earlier, 0.75) == 150);
    assert_true(status_report_quantile(&report, NULL, 0.5) > 6);
    assert_true(status_report_quantile(&earlier, &earlier, 0.5) == -1);
    assert_int_equal(status_report_read(&report, slow), 0);
    assert_true(status_report_quantile(&report, NULL, 0.99) == 2000000);
}

static void numbers_become_words(void **state)
{
    static const struct {
        uint64_t seconds;
        const char *text;
    } times[] = {{0, "0s"},     {59, "59s"},      {60, "1m"},       {61, "1m 1s"},
                 {3600, "1h"},  {3659, "1h"},     {3660, "1h 1m"},  {86399, "23h 59m"},
                 {86400, "1d"}, {90000, "1d 1h"}, {8640000, "100d"}};
    static const struct {
        double rate;
        const char *text;
    } rates[] = {{0, "0"}, {0.004, "0"}, {0.25, "0.25"}, {3.14, "3.1"}, {1234.5, "1234"}};
    char text[STATUS_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(times); i++)
        assert_string_equal(text_of_seconds(times[i].seconds, text), times[i].text);
    for (size_t i = 0; i < LENGTH_OF(rates); i++)
        assert_string_equal(text_of_rate(rates[i].rate, text), rates[i].text);
    assert_string_equal(text_of_microseconds(-1, text), "-");
    assert_string_equal(text_of_microseconds(40, text), "40 us");
    assert_string_equal(text_of_microseconds(1234, text), "1.2 ms");
    assert_string_equal(text_of_microseconds(2500000, text), "2.5 s");
    assert_string_equal(text_of_bytes(1023, text), "1023 B");
    assert_string_equal(text_of_bytes(1536, text), "1.5 KiB");
    assert_string_equal(text_of_bytes(UINT64_MAX, text), "16777216.0 TiB");
}

static void the_state_is_the_worst_that_is_said(void **state)
{
    static const struct {
        const char *lines;
        const char *text;
        bool trouble;
    } rows[] = {
        {"what=daemon version=1 state=running\nwhat=replay store=journal state=open\n", "ready",
         false},
        {"what=daemon version=1 state=running\nwhat=replay store=memory state=starting\n",
         "starting", true},
        {"what=daemon version=1 state=running\nwhat=replay store=memory state=starting "
         "failure=\"no space\"\n",
         "store error", true},
        {"what=daemon version=1 state=draining\nwhat=replay store=journal state=open failure=\"no "
         "space\"\n",
         "draining", true},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        bool trouble = !rows[i].trouble;

        assert_int_equal(status_report_read(&report, rows[i].lines), 0);
        assert_string_equal(text_of_state(&report, &trouble), rows[i].text);
        expect(trouble == rows[i].trouble, "row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_is_read),
        cmocka_unit_test(what_is_no_status_is_refused_and_nothing_moves_a_cursor),
        cmocka_unit_test(more_lines_than_there_is_room_for_are_left_out),
        cmocka_unit_test(quantiles_are_of_what_is_new),
        cmocka_unit_test(numbers_become_words),
        cmocka_unit_test(the_state_is_the_worst_that_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
