#include "config/ini.h"

#include <string.h>

#include <ini.h>
#include <openssl/crypto.h>

enum line_kind {
    LINE_PASS,  /* inih takes the name and the value */
    LINE_SKIP,  /* nothing: inih does not see it */
    LINE_BREAK, /* no setting: an indented line below it is not more of the setting above */
    LINE_HEADER
};

struct reader {
    struct source_file *file;
    enum ini_manner manner;
    struct problems *problems;
    const struct ini_callbacks *callbacks;
    void *context;
    bool in_broken_section;
    bool indented; /* the line that inih has now */
};

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

static void complain(struct reader *reader, const char *what)
{
    if (reader->manner == INI_STRICT)
        problems_error(reader->problems, reader->file->path, reader->file->line, "%s", what);
}

/* Hands a header's name on. The closing bracket may be followed by blanks or a comment alone. */
static void read_header(struct reader *reader, const char *line, size_t length)
{
    const char *end = memchr(line, ']', length);
    const char *rest = end == NULL ? NULL : end + 1;
    char name[INI_LINE_MAX + 1];
    size_t size;

    while (rest != NULL && rest < line + length && is_blank(*rest))
        rest++;
    reader->in_broken_section =
        rest == NULL || (rest < line + length && *rest != ';' && *rest != '#');
    if (reader->in_broken_section) {
        complain(reader, "this section header does not end with ]");
        return;
    }
    for (line++; line < end && is_blank(*line); line++)
        ;
    for (; end > line && is_blank(end[-1]); end--)
        ;
    size = (size_t)(end - line);
    memcpy(name, line, size);
    name[size] = '\0';
    reader->callbacks->section(reader->context, name, reader->file->line);
}

static bool is_comment_or_empty(const char *line, size_t length)
{
    return length == 0 || *line == ';' || *line == '#';
}

/* What inih may see of a line. */
static enum line_kind judge_line(struct reader *reader, const char *line, size_t length)
{
    const char *start = line;
    size_t left = length;

    for (; left > 0 && is_blank(*start); start++)
        left--;
    if (is_comment_or_empty(start, left))
        return LINE_SKIP;
    if (memchr(line, '\0', length) != NULL) {
        complain(reader, "this line holds a NUL byte");
        return LINE_SKIP;
    }
    if (length > INI_LINE_MAX) {
        complain(reader, "this line is too long: at most 198 bytes");
        /* The settings below a header that can't be read are not the section's above it. */
        reader->in_broken_section |= start == line && *line == '[';
        return LINE_BREAK;
    }
    if (start != line && reader->manner == INI_STRICT) {
        complain(reader, "this line is indented: a setting or header starts in the first column");
        return LINE_SKIP;
    }
    if (start == line && *line == '[')
        return LINE_HEADER;
    if (start == line && memchr(line, '=', length) == NULL && memchr(line, ':', length) == NULL) {
        complain(reader, "this line is neither a setting (name = value) nor a section header");
        return LINE_BREAK;
    }
    return reader->in_broken_section && reader->manner == INI_STRICT ? LINE_SKIP : LINE_PASS;
}

static void skip_byte_order_mark(const struct reader *reader, const char **line, size_t *length)
{
    if (reader->file->line == 1 && *length >= 3 && memcmp(*line, "\xEF\xBB\xBF", 3) == 0) {
        *line += 3;
        *length -= 3;
    }
}

/* inih's reader: one line a call, terminated. What inih must not see becomes an empty line. */
static char *next_line(char *buffer, int size, void *stream)
{
    struct reader *reader = stream;
    size_t length = 0;
    const char *line = source_file_next(reader->file, &length);
    enum line_kind kind;

    /* What the line before left here may be a secret. */
    OPENSSL_cleanse(buffer, (size_t)size);
    if (line == NULL)
        return NULL;
    skip_byte_order_mark(reader, &line, &length);
    kind = judge_line(reader, line, length);
    if (kind == LINE_HEADER)
        read_header(reader, line, length);
    if (kind != LINE_PASS || length + 2 > (size_t)size)
        length = 0;
    reader->indented = length > 0 && is_blank(*line);
    if (kind == LINE_HEADER || kind == LINE_BREAK) {
        /* At a header inih forgets the name that an indented line would go on with. */
        line = "[]";
        length = 2;
    }
    memcpy(buffer, line, length);
    buffer[length] = '\n';
    buffer[length + 1] = '\0';
    return buffer;
}

/* inih calls this right after it read a line, so the file's line is the setting's. */
static int take_setting(void *user, const char *section, const char *name, const char *value)
{
    const struct reader *reader = user;

    (void)section;
    reader->callbacks->setting(reader->context, name, value, reader->indented, reader->file->line);
    return 1;
}

void ini_read(struct source_file *file, enum ini_manner manner, struct problems *problems,
              const struct ini_callbacks *callbacks, void *context)
{
    struct reader reader = {.file = file,
                            .manner = manner,
                            .problems = problems,
                            .callbacks = callbacks,
                            .context = context};
    int result = ini_parse_stream(next_line, &reader, take_setting, &reader);

    /* Everything that inih complains of was found here before; should it know better, believe it.
     */
    if (result != 0 && manner == INI_STRICT && !problems_have_error(problems))
        problems_error(problems, file->path, result > 0 ? result : 0,
                       "this line can't be read as a setting");
}
