#include "store/replay_index.h"

#include <stdlib.h>

#include "store/signature_set.h"

struct shelf {
    struct shelf *next;
    int64_t step;
    unsigned interval;
    unsigned timeline;
    int64_t over_wall_ms; /* when the last of its tokens stops being acceptable, by either clock */
    int64_t over_boot_ms;
    struct signature_set spent;
};

struct replay_index {
    struct shelf *shelves; /* the latest spent-on first */
    struct closed_time closed;
};

struct replay_index *replay_index_create(void)
{
    return calloc(1, sizeof(struct replay_index));
}

static void free_shelf(struct shelf *shelf)
{
    signature_set_clear(&shelf->spent);
    free(shelf);
}

void replay_index_destroy(struct replay_index **index)
{
    if (*index == NULL)
        return;
    while ((*index)->shelves != NULL) {
        struct shelf *shelf = (*index)->shelves;

        (*index)->shelves = shelf->next;
        free_shelf(shelf);
    }
    free(*index);
    *index = NULL;
}

static struct stretch steps_stretch(int64_t first, int64_t last, unsigned interval)
{
    return (struct stretch){.begin = first * interval, .end = (last + 1) * interval};
}

/* Seconds from one timeline to the next, in what is closed: beyond any year that a clock can show. */
#define TIMELINE_SECONDS (INT64_C(1) << 44)

/* The same as it stands in what is closed: steps of different timelines never touch. */
static struct stretch timeline_stretch(int64_t first, int64_t last, unsigned interval,
                                       unsigned timeline)
{
    struct stretch stretch = steps_stretch(first, last, interval);

    stretch.begin += timeline * TIMELINE_SECONDS;
    stretch.end += timeline * TIMELINE_SECONDS;
    return stretch;
}

void replay_index_prefetch(const struct replay_index *index, struct signature_id id)
{
    for (const struct shelf *shelf = index->shelves; shelf != NULL; shelf = shelf->next)
        signature_set_prefetch(&shelf->spent, id);
}

static bool is_spent(const struct replay_index *index, struct signature_id id)
{
    for (const struct shelf *shelf = index->shelves; shelf != NULL; shelf = shelf->next) {
        if (signature_set_holds(&shelf->spent, id))
            return true;
    }
    return false;
}

static bool is_filed_on(const struct shelf *shelf, const struct spend *spend)
{
    return shelf->step == spend->filing_step && shelf->interval == spend->interval &&
           shelf->timeline == spend->timeline;
}

static struct shelf *shelf_for(struct replay_index *index, const struct spend *spend)
{
    struct shelf *shelf = index->shelves;

    /* Where one is full, another of the same step stands before it. */
    while (shelf != NULL && !is_filed_on(shelf, spend))
        shelf = shelf->next;
    if (shelf != NULL && signature_set_count(&shelf->spent) < SIGNATURE_SET_MAX)
        return shelf;
    shelf = calloc(1, sizeof(*shelf));
    if (shelf == NULL)
        return NULL;
    shelf->step = spend->filing_step;
    shelf->interval = spend->interval;
    shelf->timeline = spend->timeline;
    shelf->over_wall_ms = shelf->over_boot_ms = INT64_MIN;
    shelf->next = index->shelves;
    index->shelves = shelf;
    return shelf;
}

unsigned spend_kept_window(const struct spend *spend)
{
    return spend->keep_window > spend->window ? spend->keep_window : spend->window;
}

static int64_t spend_over_wall_ms(const struct spend *spend)
{
    return (spend->filing_step + 1 + (int64_t)spend_kept_window(spend)) * spend->interval * 1000;
}

int64_t spend_over_boot_ms(const struct spend *spend, struct moment now)
{
    return now.boot_ms + (spend_over_wall_ms(spend) - now.wall_ms);
}

static void keep_until(struct shelf *shelf, int64_t over_wall_ms, int64_t over_boot_ms)
{
    if (over_wall_ms > shelf->over_wall_ms)
        shelf->over_wall_ms = over_wall_ms;
    if (over_boot_ms > shelf->over_boot_ms)
        shelf->over_boot_ms = over_boot_ms;
}

enum spend_outcome replay_index_spend(struct replay_index *index, const struct spend *spend,
                                      struct moment now)
{
    struct stretch steps =
        timeline_stretch(spend->first_step, spend->filing_step, spend->interval, spend->timeline);
    struct shelf *shelf;

    if (is_spent(index, spend->id))
        return SPEND_REPLAYED;
    if (closed_time_touches(&index->closed, steps))
        return SPEND_CLOSED;
    shelf = shelf_for(index, spend);
    if (shelf == NULL || signature_set_add(&shelf->spent, spend->id) != 0)
        return SPEND_FAILED;
    keep_until(shelf, spend_over_wall_ms(spend), spend_over_boot_ms(spend, now));
    return SPEND_FRESH;
}

void replay_index_restore(struct replay_index *index, const struct spend *spend, struct moment now,
                          int64_t over_boot_ms)
{
    struct shelf *shelf;

    replay_index_prefetch(index, spend->id);
    if (is_spent(index, spend->id))
        return;
    shelf = shelf_for(index, spend);
    if (shelf == NULL || signature_set_add(&shelf->spent, spend->id) != 0) {
        closed_time_add(&index->closed, timeline_stretch(spend->filing_step, spend->filing_step,
                                                         spend->interval, spend->timeline));
        return;
    }
    if (over_boot_ms == INT64_MIN)
        over_boot_ms = spend_over_boot_ms(spend, now);
    keep_until(shelf, spend_over_wall_ms(spend), over_boot_ms);
}

void replay_index_forget(struct replay_index *index, const struct spend *spend)
{
    for (struct shelf *shelf = index->shelves; shelf != NULL; shelf = shelf->next) {
        if (is_filed_on(shelf, spend))
            signature_set_remove(&shelf->spent, spend->id);
    }
}

const struct closed_time *replay_index_closed(const struct replay_index *index)
{
    return &index->closed;
}

void replay_index_close(struct replay_index *index, const struct closed_time *closed)
{
    for (size_t i = 0; i < closed->count; i++)
        closed_time_add(&index->closed, closed->stretches[i]);
}

bool replay_index_drop_old(struct replay_index *index, struct moment now)
{
    bool closed = false;

    for (struct shelf **link = &index->shelves; *link != NULL;) {
        struct shelf *shelf = *link;

        if (now.wall_ms < shelf->over_wall_ms || now.boot_ms < shelf->over_boot_ms) {
            link = &shelf->next;
            continue;
        }
        /* An empty shelf is one whose first token could not be recorded: nothing is lost with it.
         */
        if (signature_set_count(&shelf->spent) > 0) {
            closed_time_add(&index->closed, timeline_stretch(shelf->step, shelf->step,
                                                             shelf->interval, shelf->timeline));
            closed = true;
        }
        *link = shelf->next;
        free_shelf(shelf);
    }
    return closed;
}

bool replay_index_touches(const struct replay_index *index, struct stretch stretch)
{
    for (const struct shelf *shelf = index->shelves; shelf != NULL; shelf = shelf->next) {
        struct stretch steps = steps_stretch(shelf->step, shelf->step, shelf->interval);

        if (signature_set_count(&shelf->spent) > 0 && steps.begin < stretch.end &&
            stretch.begin < steps.end)
            return true;
    }
    return false;
}

struct replay_usage replay_index_usage(const struct replay_index *index)
{
    struct replay_usage usage = {0};

    for (const struct shelf *shelf = index->shelves; shelf != NULL; shelf = shelf->next) {
        usage.tokens += signature_set_count(&shelf->spent);
        usage.shelves++;
        usage.memory += sizeof(*shelf) + signature_set_memory(&shelf->spent);
    }
    return usage;
}
