/* What `top` shows: the daemon's last two answers, the rates between them, and a history of these. */
#ifndef CTL_TOP_VIEW_H
#define CTL_TOP_VIEW_H

#include "ctl/screen.h"
#include "ctl/status_report.h"

enum { TOP_HISTORY_MAX = 512, TOP_COMPLAINT_SIZE = 256 };

/* A zeroed one knows nothing. */
struct top_view {
    struct status_report now;
    struct status_report earlier;
    bool has_now;
    bool has_earlier;
    int64_t now_ms; /* of the monotonic clock */
    int64_t earlier_ms;
    char complaint[TOP_COMPLAINT_SIZE]; /* why the last answer is missing; "" where it is not */
    double allowed[TOP_HISTORY_MAX];    /* a second, oldest first */
    double refused[TOP_HISTORY_MAX];    /* denied, and not decided */
    size_t count;
};

/* Takes an answer of the daemon; NULL, with complaint set, where there was none. 0, or -1 where it
 * is no status. */
__attribute__((warn_unused_result)) int top_view_take(struct top_view *view, const char *answer,
                                                      int64_t now_ms);

/* Whether there are two answers, and so rates. */
bool top_view_has_rates(const struct top_view *view);

/* Draws it: what fits. */
void top_view_draw(const struct top_view *view, struct screen *screen);

#endif
