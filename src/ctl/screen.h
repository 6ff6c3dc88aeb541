/* A screen full of lines, on a terminal or as plain text: clipped to its size, drawn in one write. */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum screen_style { SCREEN_PLAIN, SCREEN_BOLD, SCREEN_TITLE, SCREEN_GOOD, SCREEN_BAD };

struct screen {
    FILE *stream; /* of the frame that is being made */
    char *frame;  /* its bytes; freed by screen_show() */
    size_t frame_size;
    size_t columns;   /* 20 to 500, whatever the terminal says */
    size_t rows;      /* 0: as many as there are lines */
    size_t used;      /* lines of this frame */
    bool is_terminal; /* drawn in place, with control sequences; else plain lines */
    bool is_utf8;
    bool has_styles;
};

/* What standard output is: a terminal that can be drawn on, its size and character set. Not yet
 * changed. */
void screen_init(struct screen *screen);

/* Looks at the size again. */
void screen_measure(struct screen *screen);

/* Takes the terminal over and gives it back as it was; both may be called again, and do nothing
 * where standard output is none. Leaving calls nothing that a signal handler must not. */
void screen_enter(struct screen *screen);
void screen_leave(struct screen *screen);

/* Begins a frame. 0, or -1 where memory is short. */
__attribute__((warn_unused_result)) int screen_begin(struct screen *screen);

/* A line of printable ASCII, clipped; left out where there is no room. */
__attribute__((format(printf, 3, 4))) void
screen_line(struct screen *screen, enum screen_style style, const char *format, ...);

/* A line that was made to fit: bytes as they are. */
void screen_raw_line(struct screen *screen, enum screen_style style, const char *text);

/* Lines that there is still room for; SIZE_MAX where there is no bound. */
size_t screen_room(const struct screen *screen);

/* Writes the frame. 0, or -1 where standard output is gone. */
__attribute__((warn_unused_result)) int screen_show(struct screen *screen);

#endif
