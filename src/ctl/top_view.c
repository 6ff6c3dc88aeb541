#include "ctl/top_view.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "ctl/graph.h"
#include "ctl/status_text.h"

/* Columns in front of a graph, for its scale. */
enum { SCALE_COLUMNS = 8, GRAPH_ROWS_MAX = 6 };

/* Lines of everything but graphs, with half a dozen reasons and hosts. */
enum { OTHER_LINES = 19 };

static double seconds_between(const struct top_view *view)
{
    return (double)(view->now_ms - view->earlier_ms) / 1000;
}

/* A counter that went back began anew: its daemon was restarted. */
static double rate(const struct top_view *view, uint64_t now, uint64_t earlier)
{
    if (!top_view_has_rates(view))
        return 0;
    return (double)(now >= earlier ? now - earlier : now) / seconds_between(view);
}

bool top_view_has_rates(const struct top_view *view)
{
    return view->has_now && view->has_earlier && view->now_ms > view->earlier_ms;
}

static void remember(struct top_view *view, double allowed, double refused)
{
    if (view->count == TOP_HISTORY_MAX) {
        memmove(view->allowed, view->allowed + 1, sizeof(view->allowed) - sizeof(double));
        memmove(view->refused, view->refused + 1, sizeof(view->refused) - sizeof(double));
        view->count--;
    }
    view->allowed[view->count] = allowed;
    view->refused[view->count] = refused;
    view->count++;
}

int top_view_take(struct top_view *view, const char *answer, int64_t now_ms)
{
    struct report_sums sums;
    struct report_sums earlier;

    if (answer == NULL) {
        view->has_now = false;
        view->has_earlier = false;
        remember(view, 0, 0);
        return 0;
    }
    view->earlier = view->now;
    view->earlier_ms = view->now_ms;
    view->has_earlier = view->has_now;
    if (status_report_read(&view->now, answer) != 0)
        return -1;
    view->now_ms = now_ms;
    view->has_now = true;
    view->complaint[0] = '\0';
    /* Another process: nothing is to be compared. */
    view->has_earlier = view->has_earlier && view->earlier.pid == view->now.pid;
    sums = status_report_sums(&view->now);
    earlier = status_report_sums(&view->earlier);
    if (top_view_has_rates(view))
        remember(view, rate(view, sums.allowed, earlier.allowed),
                 rate(view, sums.denied + sums.undecided, earlier.denied + earlier.undecided));
    return 0;
}

/* --- drawing */

static void draw_title(const struct top_view *view, struct screen *screen)
{
    const struct status_report *now = &view->now;
    char left[REPORT_TEXT_SIZE + 2 * STATUS_TEXT_SIZE];
    char uptime[STATUS_TEXT_SIZE];
    char clock[16] = "";
    time_t seconds = time(NULL);
    struct tm utc;
    bool trouble = true;
    int room;

    if (gmtime_r(&seconds, &utc) != NULL)
        strftime(clock, sizeof(clock), "%H:%M:%SZ", &utc);
    if (view->has_now)
        snprintf(left, sizeof(left), "xmpp-authd %s  %s  up %s", now->version,
                 text_of_state(now, &trouble), text_of_seconds(now->uptime_s, uptime));
    else
        snprintf(left, sizeof(left), "xmpp-authd  no answer");
    room = (int)screen->columns - (int)strlen(clock) - 1;
    screen_line(screen, SCREEN_TITLE, "%-*.*s %s", room, room, left, clock);
    if (!view->has_now)
        screen_line(screen, SCREEN_BAD, "%s", view->complaint);
    else if (now->failure[0] != '\0')
        screen_line(screen, SCREEN_BAD, "spent tokens can't be recorded: %s", now->failure);
    else if (trouble && now->opens[0] != '\0')
        screen_line(screen, SCREEN_BAD, "tokens minted before %s are refused", now->opens);
    if (view->has_now && now->reload_failed)
        screen_line(screen, SCREEN_BAD, "the configuration was refused at the last reload");
}

static void draw_summary(const struct top_view *view, struct screen *screen)
{
    const struct status_report *now = &view->now;
    const struct status_report *earlier = &view->earlier;
    struct report_sums sums = status_report_sums(now);
    struct report_sums before = status_report_sums(earlier);
    char texts[6][STATUS_TEXT_SIZE];

    screen_line(screen, SCREEN_PLAIN, "logins a second: %s allowed, %s denied, %s undecided",
                text_of_rate(rate(view, sums.allowed, before.allowed), texts[0]),
                text_of_rate(rate(view, sums.denied, before.denied), texts[1]),
                text_of_rate(rate(view, sums.undecided, before.undecided), texts[2]));
    screen_line(screen, SCREEN_PLAIN, "decisions: half within %s, 99 in 100 within %s",
                text_of_microseconds(status_report_quantile(now, earlier, 0.5), texts[3]),
                text_of_microseconds(status_report_quantile(now, earlier, 0.99), texts[4]));
    screen_line(screen, SCREEN_PLAIN,
                "clients: %" PRIu64 " of %" PRIu64 ", %s pending   users: %" PRIu64
                " seen, %" PRIu64 " denied",
                now->clients, now->clients_max, text_of_bytes(now->pending_bytes, texts[5]),
                now->seen, now->denied);
    screen_line(screen, SCREEN_PLAIN, "spent tokens: %" PRIu64 " in store %s, %" PRIu64 " errors",
                now->spent, now->store, now->store_errors);
}

static void draw_graph(struct screen *screen, const char *what, const double *values, size_t count,
                       size_t rows, enum screen_style style)
{
    size_t columns = screen->columns - SCALE_COLUMNS;
    size_t shown = count < columns ? count : columns;
    double scale = graph_scale(values + (count - shown), shown);
    char text[SCALE_COLUMNS + 1 + 3 * 512];

    if (columns > 512)
        columns = 512;
    screen_line(screen, SCREEN_BOLD, "%s", what);
    for (size_t row = 0; row < rows; row++) {
        if (row == 0)
            snprintf(text, SCALE_COLUMNS + 1, "%6.0f |", scale);
        else
            snprintf(text, SCALE_COLUMNS + 1, "%6s |", row + 1 == rows ? "0" : "");
        graph_row(values, count, columns, scale, row, rows, screen->is_utf8, text + SCALE_COLUMNS);
        screen_raw_line(screen, style, text);
    }
}

static void draw_graphs(const struct top_view *view, struct screen *screen)
{
    size_t rows = 4;

    if (screen->rows > 0) {
        rows = screen->rows > OTHER_LINES + 4 ? (screen->rows - OTHER_LINES) / 2 : 2;
        rows = rows > GRAPH_ROWS_MAX ? GRAPH_ROWS_MAX : rows;
    }
    draw_graph(screen, "allowed a second", view->allowed, view->count, rows, SCREEN_GOOD);
    draw_graph(screen, "denied or undecided a second", view->refused, view->count, rows,
               SCREEN_BAD);
}

static void draw_reasons(const struct top_view *view, struct screen *screen)
{
    char text[STATUS_TEXT_SIZE];

    screen_line(screen, SCREEN_BOLD, "%-14s %10s %14s", "reason", "a second", "so far");
    for (size_t i = 0; i < REASON_COUNT; i++) {
        size_t at = (i + REASON_ALLOWED) % REASON_COUNT;

        if (view->now.auth[at] > 0)
            screen_line(screen, SCREEN_PLAIN, "%-14s %10s %14" PRIu64, reason_word((enum reason)at),
                        text_of_rate(rate(view, view->now.auth[at], view->earlier.auth[at]), text),
                        view->now.auth[at]);
    }
}

static const struct report_host *earlier_host(const struct top_view *view, const char *name)
{
    static const struct report_host nothing;

    for (size_t i = 0; i < view->earlier.listed_count; i++) {
        if (strcmp(view->earlier.listed[i].name, name) == 0)
            return &view->earlier.listed[i];
    }
    return &nothing;
}

static void draw_hosts(const struct top_view *view, struct screen *screen)
{
    char texts[4][STATUS_TEXT_SIZE];

    if (view->now.listed_count == 0)
        return;
    screen_line(screen, SCREEN_BOLD, "%-28s %10s %10s %10s  %s", "host, a second", "allowed",
                "denied", "undecided", "minter's clock");
    for (size_t i = 0; i < view->now.listed_count && screen_room(screen) > 0; i++) {
        const struct report_host *host = &view->now.listed[i];
        const struct report_host *before = earlier_host(view, host->name);

        screen_line(screen, host->clock_is_off ? SCREEN_BAD : SCREEN_PLAIN,
                    "%-28.28s %10s %10s %10s  %s", host->name,
                    text_of_rate(rate(view, host->allowed, before->allowed), texts[0]),
                    text_of_rate(rate(view, host->denied, before->denied), texts[1]),
                    text_of_rate(rate(view, host->undecided, before->undecided), texts[2]),
                    text_of_clock(host, texts[3]));
    }
}

void top_view_draw(const struct top_view *view, struct screen *screen)
{
    draw_title(view, screen);
    if (view->has_now)
        draw_summary(view, screen);
    screen_line(screen, SCREEN_PLAIN, "%s", "");
    draw_graphs(view, screen);
    if (!view->has_now)
        return;
    screen_line(screen, SCREEN_PLAIN, "%s", "");
    draw_reasons(view, screen);
    screen_line(screen, SCREEN_PLAIN, "%s", "");
    draw_hosts(view, screen);
}
