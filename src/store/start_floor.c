#include "store/start_floor.h"

void start_floor_set(struct start_floor *floor, struct moment start)
{
    *floor = (struct start_floor){
        .active = true, .start_wall_ms = start.wall_ms, .start_boot_ms = start.boot_ms};
}

void start_floor_observe(struct start_floor *floor, struct moment now)
{
    int64_t start_by_this_clock = now.wall_ms - (now.boot_ms - floor->start_boot_ms);

    if (floor->active && start_by_this_clock > floor->start_wall_ms)
        floor->start_wall_ms = start_by_this_clock;
}

int64_t start_floor_opens(const struct start_floor *floor, unsigned interval, unsigned window)
{
    int64_t start_step = floor_divide(floor->start_wall_ms, (int64_t)interval * 1000);

    return (start_step + (int64_t)window + 1) * interval;
}

bool start_floor_covers(const struct start_floor *floor, int64_t step, unsigned interval,
                        unsigned window)
{
    return floor->active && step * interval < start_floor_opens(floor, interval, window);
}
