#include "doctor/patch.h"

#include <string.h>

#include "doctor/text_file.h"

enum { CONTEXT = 3 };

/* A line of the file; the one before the first has none of its own. */
struct line {
    const char *old_text; /* without its end; not terminated */
    size_t old_length;
    const char *new_text; /* NULL: as it was */
    size_t new_length;
    bool unended;          /* the file's last, without a line feed */
    bool touched;          /* anything planned here */
    const struct edit *at; /* the first of the edits that insert behind it */
};

struct file {
    struct findings *findings;
    const char *path;
    struct line *lines; /* 1 to count; 0 stands before the first */
    int count;
    long shift; /* lines that earlier hunks added */
};

static int split_lines(struct file *file, const char *text, size_t size)
{
    size_t count = 2;

    for (size_t at = 0; at < size; at++)
        count += text[at] == '\n';
    file->lines = arena_alloc(&file->findings->arena, count * sizeof(*file->lines));
    if (file->lines == NULL)
        return -1;
    while (size > 0) {
        struct line *line = &file->lines[++file->count];
        const char *end = memchr(text, '\n', size);

        line->old_text = text;
        line->unended = end == NULL;
        line->old_length = end == NULL ? size : (size_t)(end - text);
        size -= line->old_length + (end != NULL);
        text += line->old_length + (end != NULL);
    }
    return 0;
}

/* Replaces some bytes of what a line has become. Edits come from the line's end to its start. */
static int replace(struct file *file, struct line *line, const struct edit *edit)
{
    const char *old = line->new_text == NULL ? line->old_text : line->new_text;
    size_t old_length = line->new_text == NULL ? line->old_length : line->new_length;
    size_t from = (size_t)edit->place.column;
    size_t to = (size_t)edit->place.end_column;
    size_t length = strlen(edit->text);
    char *text;

    if (from > to || to > old_length)
        return 0;
    text = arena_alloc(&file->findings->arena, old_length - (to - from) + length + 1);
    if (text == NULL)
        return -1;
    memcpy(text, old, from);
    memcpy(text + from, edit->text, length);
    memcpy(text + from + length, old + to, old_length - to);
    line->new_text = text;
    line->new_length = old_length - (to - from) + length;
    line->touched = true;
    return 0;
}

static bool is_of(const struct edit *edit, const struct file *file, int line, bool insert)
{
    return edit->insert == insert && edit->place.line == line &&
           strcmp(edit->place.file, file->path) == 0;
}

/* The last edit in a line before a column; of several at one column the one planned last. */
static const struct edit *last_before(const struct file *file, int line, int column,
                                      const struct edit *not_this)
{
    const struct edit *found = NULL;

    for (const struct edit *edit = file->findings->edits; edit != not_this && edit != NULL;
         edit = edit->next) {
        if (is_of(edit, file, line, false) && edit->place.end_column <= column &&
            (found == NULL || edit->place.column >= found->place.column))
            found = edit;
    }
    return found;
}

static int replace_all(struct file *file, int line)
{
    const struct edit *edit = last_before(file, line, INT32_MAX, NULL);

    while (edit != NULL) {
        const struct edit *same = NULL;

        if (replace(file, &file->lines[line], edit) != 0)
            return -1;
        /* More that insert at the very same place, planned earlier. */
        if (edit->place.column == edit->place.end_column)
            same = last_before(file, line, edit->place.column, edit);
        if (same != NULL && same->place.column == edit->place.column)
            edit = same;
        else
            edit = last_before(file, line, edit->place.column - 1, NULL);
    }
    return 0;
}

static int apply(struct file *file)
{
    for (const struct edit *edit = file->findings->edits; edit != NULL; edit = edit->next) {
        int number = edit->place.line;
        struct line *line;

        if (strcmp(edit->place.file, file->path) != 0 || number < 0 || number > file->count)
            continue;
        line = &file->lines[number];
        if (!edit->insert && line->new_text == NULL && replace_all(file, number) != 0)
            return -1;
        if (edit->insert && line->at == NULL)
            line->at = edit;
        line->touched = line->touched || edit->insert;
        if (edit->insert && line->unended && line->new_text == NULL) {
            line->new_text = line->old_text;
            line->new_length = line->old_length;
        }
    }
    return 0;
}

static int count_lines(const char *text)
{
    int count = 0;

    for (; (text = strchr(text, '\n')) != NULL; text++)
        count++;
    return count;
}

static int inserted_count(const struct file *file, int line)
{
    int count = 0;

    for (const struct edit *edit = file->lines[line].at; edit != NULL; edit = edit->next) {
        if (is_of(edit, file, line, true))
            count += count_lines(edit->text);
    }
    return count;
}

static void write_line(FILE *stream, char mark, const char *text, size_t length, bool unended)
{
    fputc(mark, stream);
    fwrite(text, 1, length, stream);
    fputs(unended ? "\n\\ No newline at end of file\n" : "\n", stream);
}

static void write_inserted(const struct file *file, int line, FILE *stream)
{
    for (const struct edit *edit = file->lines[line].at; edit != NULL; edit = edit->next) {
        if (!is_of(edit, file, line, true))
            continue;
        for (const char *at = edit->text; *at != '\0';) {
            size_t length = strcspn(at, "\n");

            write_line(stream, '+', at, length, false);
            at += length + (at[length] == '\n');
        }
    }
}

static void write_hunk(struct file *file, int first, int last, FILE *stream)
{
    int added = 0;

    for (int i = first == 1 ? 0 : first; i <= last; i++)
        added += inserted_count(file, i);
    fprintf(stream, "@@ -%d,%d +%ld,%d @@\n", first, last - first + 1, first + file->shift,
            last - first + 1 + added);
    file->shift += added;
    if (first == 1)
        write_inserted(file, 0, stream);
    for (int i = first; i <= last; i++) {
        const struct line *line = &file->lines[i];

        write_line(stream, line->new_text == NULL ? ' ' : '-', line->old_text, line->old_length,
                   line->unended);
        if (line->new_text != NULL)
            write_line(stream, '+', line->new_text, line->new_length,
                       line->unended && line->at == NULL);
        write_inserted(file, i, stream);
    }
}

static void write_hunks(struct file *file, FILE *stream)
{
    for (int i = 0; i <= file->count; i++) {
        int first = i > CONTEXT + 1 ? i - CONTEXT : 1;
        int last = i;

        if (!file->lines[i].touched)
            continue;
        for (int next = i; next <= file->count && next <= last + 2 * CONTEXT; next++) {
            if (file->lines[next].touched)
                last = next;
        }
        i = last;
        last = last + CONTEXT > file->count ? file->count : last + CONTEXT;
        write_hunk(file, first, last, stream);
    }
}

static int write_file(struct findings *findings, const char *path, FILE *stream)
{
    struct file file = {.findings = findings, .path = path};
    const char *slash = path[0] == '/' ? "" : "/";
    const char *why;
    size_t size;
    char *text = text_file_read(&findings->arena, path, &size, &why);

    if (text == NULL || split_lines(&file, text, size) != 0 || apply(&file) != 0)
        return -1;
    fprintf(stream, "--- a%s%s\n+++ b%s%s\n", slash, path, slash, path);
    write_hunks(&file, stream);
    return 0;
}

int patch_write(struct findings *findings, FILE *stream)
{
    for (const struct edit *edit = findings->edits; edit != NULL; edit = edit->next) {
        const struct edit *earlier = findings->edits;

        while (earlier != edit && strcmp(earlier->place.file, edit->place.file) != 0)
            earlier = earlier->next;
        if (earlier == edit && write_file(findings, edit->place.file, stream) != 0)
            return -1;
    }
    return 0;
}
