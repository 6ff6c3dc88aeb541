#include "ctl/screen.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/number.h"

enum { COLUMNS_DEFAULT = 80, ROWS_DEFAULT = 24, COLUMNS_MIN = 20, COLUMNS_MAX = 500 };

/* The terminal as it was; there is one. */
static struct termios before;
static bool is_entered;

/* Alternate screen, no cursor; and back. */
static const char entering[] = "\033[?1049h\033[?25l\033[2J";
static const char leaving[] = "\033[?25h\033[?1049l";

static void write_all(const char *bytes, size_t size, int *failed)
{
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            *failed = 1;
            return;
        }
        bytes += written;
        size -= (size_t)written;
    }
}

/* A size from the environment, where the terminal tells none. */
static size_t size_from(const char *name, size_t otherwise)
{
    const char *text = getenv(name);
    int64_t number;

    if (text == NULL || number_parse(text, strlen(text), &number) != 0 || number < 1 ||
        number > COLUMNS_MAX)
        return otherwise;
    return (size_t)number;
}

void screen_measure(struct screen *screen)
{
    struct winsize size = {0};

    screen->columns = size_from("COLUMNS", COLUMNS_DEFAULT);
    screen->rows = screen->is_terminal ? size_from("LINES", ROWS_DEFAULT) : 0;
    if (screen->is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
        size.ws_row > 0) {
        screen->columns = size.ws_col;
        screen->rows = size.ws_row;
    }
    if (screen->columns < COLUMNS_MIN)
        screen->columns = COLUMNS_MIN;
    if (screen->columns > COLUMNS_MAX)
        screen->columns = COLUMNS_MAX;
}

void screen_init(struct screen *screen)
{
    const char *terminal = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");

    *screen = (struct screen){0};
    screen->is_terminal = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO) && terminal != NULL &&
                          terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;
    screen->has_styles = screen->is_terminal && (no_color == NULL || no_color[0] == '\0');
    setlocale(LC_CTYPE, "");
    screen->is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    setlocale(LC_CTYPE, "C");
    screen_measure(screen);
}

void screen_enter(struct screen *screen)
{
    struct termios raw;
    int failed = 0;

    if (!screen->is_terminal || is_entered || tcgetattr(STDIN_FILENO, &before) != 0)
        return;
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    is_entered = true;
    write_all(entering, sizeof(entering) - 1, &failed);
}

void screen_leave(struct screen *screen)
{
    int failed = 0;

    if (!screen->is_terminal || !is_entered)
        return;
    is_entered = false;
    write_all(leaving, sizeof(leaving) - 1, &failed);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

int screen_begin(struct screen *screen)
{
    screen->used = 0;
    screen->frame = NULL;
    screen->stream = open_memstream(&screen->frame, &screen->frame_size);
    if (screen->stream == NULL)
        return -1;
    if (screen->is_terminal)
        fputs("\033[H", screen->stream);
    return 0;
}

size_t screen_room(const struct screen *screen)
{
    if (screen->rows == 0)
        return SIZE_MAX;
    return screen->rows > screen->used ? screen->rows - screen->used : 0;
}

void screen_raw_line(struct screen *screen, enum screen_style style, const char *text)
{
    static const char *const sequences[] = {
        [SCREEN_PLAIN] = "",        [SCREEN_BOLD] = "\033[1m", [SCREEN_TITLE] = "\033[7m",
        [SCREEN_GOOD] = "\033[32m", [SCREEN_BAD] = "\033[31m",
    };
    bool is_styled = screen->has_styles && style != SCREEN_PLAIN;

    if (screen_room(screen) == 0)
        return;
    /* Between lines, not behind the last: that would scroll. */
    if (screen->used++ > 0)
        fputs(screen->is_terminal ? "\r\n" : "\n", screen->stream);
    /* Cleared first: behind a line that is full, some terminals would take its last character. */
    fprintf(screen->stream, "%s%s%s%s", screen->is_terminal ? "\033[K" : "",
            is_styled ? sequences[style] : "", text, is_styled ? "\033[0m" : "");
}

void screen_line(struct screen *screen, enum screen_style style, const char *format, ...)
{
    char text[COLUMNS_MAX + 1];
    va_list values;

    va_start(values, format);
    /* clang-tidy 14 no longer knows va_start() in the second file of one run. */
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    text[screen->columns] = '\0';
    screen_raw_line(screen, style, text);
}

int screen_show(struct screen *screen)
{
    int failed = 0;

    fputs(screen->is_terminal ? "\033[J" : "\n", screen->stream);
    failed = fclose(screen->stream) != 0;
    screen->stream = NULL;
    if (!failed)
        write_all(screen->frame, screen->frame_size, &failed);
    free(screen->frame);
    screen->frame = NULL;
    return failed ? -1 : 0;
}
