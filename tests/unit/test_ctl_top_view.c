/* What `top` draws: the trouble that there is, in words, a history that goes on for ever, and never a line that is wider than the
 * screen. */
#include "vectors.h"

#include "ctl/screen.h"
#include "ctl/top_view.h"

static struct top_view view;

/* The view as it is drawn on a screen of so many columns; borrowed until the next one. */
static const char *drawn(size_t columns)
{
    static char text[65536];
    struct screen screen = {.columns = columns};

    assert_int_equal(screen_begin(&screen), 0);
    top_view_draw(&view, &screen);
    fclose(screen.stream);
    copy_text(text, screen.frame);
    free(screen.frame);
    return text;
}

static void trouble_is_said_at_the_top(void **state)
{
    static const struct {
        const char *status; /* NULL: there was no answer */
        const char *line;
    } rows[] = {
        {NULL, "the daemon is not there"},
        {"what=daemon version=1 state=running\n", "xmpp-authd 1  ready"},
        {"what=daemon version=1 state=draining\n", "xmpp-authd 1  draining"},
        {"what=daemon version=1 state=running last_reload=failed\n",
         "the configuration was refused at the last reload"},
        {"what=daemon version=1 state=running\nwhat=replay state=open failure=\"no space\"\n",
         "spent tokens can't be recorded: no space"},
        {"what=daemon version=1 state=running\nwhat=replay state=starting "
         "opens=2026-01-01T00:00:00Z\n",
         "tokens minted before 2026-01-01T00:00:00Z are refused"},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        memset(&view, 0, sizeof(view));
        copy_text(view.complaint, "the daemon is not there");
        assert_int_equal(top_view_take(&view, rows[i].status, 1000), 0);
        expect(strstr(drawn(100), rows[i].line) != NULL, "row %zu: %s", i, drawn(100));
    }
    assert_int_equal(top_view_take(&view, "what=replay state=open\n", 2000), -1);
}

static void answer_with(uint64_t allowed, int64_t now_ms)
{
    char text[256];

    snprintf(text, sizeof(text),
             "what=daemon version=1 pid=1 state=running\nwhat=verdicts question=auth "
             "reason=allowed count=%llu\n",
             (unsigned long long)allowed);
    assert_int_equal(top_view_take(&view, text, now_ms), 0);
}

static void the_history_keeps_the_newest(void **state)
{
    uint64_t allowed = 0;

    (void)state;
    memset(&view, 0, sizeof(view));
    for (int second = 0; second <= 600; second++) {
        allowed += (uint64_t)second;
        answer_with(allowed, second * INT64_C(1000));
    }
    assert_int_equal(view.count, TOP_HISTORY_MAX);
    assert_true(view.allowed[0] == 600 - TOP_HISTORY_MAX + 1);
    assert_true(view.allowed[TOP_HISTORY_MAX - 1] == 600);
}

static void no_line_is_wider_than_the_screen(void **state)
{
    static const size_t widths[] = {20, 40, 79, 200, 500};

    (void)state;
    memset(&view, 0, sizeof(view));
    for (int second = 0; second <= 600; second++)
        answer_with((uint64_t)second * 3, second * INT64_C(1000));
    for (size_t i = 0; i < LENGTH_OF(widths); i++) {
        for (const char *line = drawn(widths[i]); *line != '\0'; line += strcspn(line, "\n") + 1) {
            expect(strcspn(line, "\n") <= widths[i], "%zu columns: %.*s", widths[i],
                   (int)strcspn(line, "\n"), line);
            if (line[strcspn(line, "\n")] == '\0')
                break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trouble_is_said_at_the_top),
        cmocka_unit_test(the_history_keeps_the_newest),
        cmocka_unit_test(no_line_is_wider_than_the_screen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
