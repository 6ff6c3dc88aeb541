#include "ctl/finding_report.h"

#include <string.h>

#include "base/logfmt.h"
#include "ctl/report.h"

static const char *const severity_words[] = {
    [FINDING_ERROR] = "error", [FINDING_WARNING] = "warning", [FINDING_UNJUDGED] = "unjudged"};

/* Whether a word stands in a list with commas. */
static bool is_listed(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; at != NULL;
         at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* The bytes of the control character that stands here, 0: it is none. Beside ASCII's there are those
 * that Unicode has in two bytes; some terminals obey them (U+009B begins a sequence, like ESC [). */
static size_t control_length(const char *text)
{
    unsigned char byte = (unsigned char)text[0];
    unsigned char after = byte == 0xc2 ? (unsigned char)text[1] : 0;

    if (after >= 0x80 && after < 0xa0)
        return 2;
    return byte < 0x20 || byte == 0x7f ? 1 : 0;
}

/* Nothing from a file or from the network may move the terminal's cursor. */
static void print_harmless(FILE *stream, const char *text)
{
    while (*text != '\0') {
        size_t length = control_length(text);

        fputc(length > 0 ? '?' : *text, stream);
        text += length > 0 ? length : 1;
    }
}

static void print_finding(const struct finding *finding, FILE *stream)
{
    const struct finding_type *type = &finding_types[finding->id];

    fprintf(stream, "%s %s", severity_words[type->severity], type->word);
    if (finding->file != NULL) {
        fputc(' ', stream);
        print_harmless(stream, finding->file);
    }
    if (finding->file != NULL && finding->line > 0)
        fprintf(stream, ":%d", finding->line);
    fputs("\n    ", stream);
    print_harmless(stream, finding->text);
    fputs("\n    mend: ", stream);
    print_harmless(stream, finding->mend);
    fputc('\n', stream);
}

static void print_logfmt(const struct finding *finding, FILE *stream)
{
    const struct finding_type *type = &finding_types[finding->id];
    struct logfmt line = {.length = 0};

    logfmt_text(&line, "finding", type->word);
    logfmt_text(&line, "severity", severity_words[type->severity]);
    logfmt_text(&line, "file", finding->file);
    if (finding->line > 0)
        logfmt_number(&line, "line", finding->line);
    logfmt_text(&line, "what", finding->text);
    logfmt_text(&line, "mend", finding->mend);
    fwrite(line.text, 1, line.length, stream);
    fputc('\n', stream);
}

enum ctl_status finding_report_write(const struct findings *findings,
                                     const struct arguments *arguments, FILE *stream)
{
    enum ctl_status status = CTL_YES;

    for (const struct finding *finding = findings->first; finding != NULL;
         finding = finding->next) {
        if (is_listed(arguments->values[OPTION_IGNORE], finding_types[finding->id].word))
            continue;
        if (finding_types[finding->id].severity != FINDING_UNJUDGED)
            status = CTL_NO;
        else if (status == CTL_YES)
            status = CTL_UNJUDGED;
        if (arguments->values[OPTION_LOGFMT] != NULL)
            print_logfmt(finding, stream);
        else
            print_finding(finding, stream);
    }
    return status;
}

/* Only known words: a misspelt one would hide nothing, and nobody would know. */
int finding_report_check(const struct arguments *arguments)
{
    const char *list = arguments->values[OPTION_IGNORE];

    for (const char *at = list; at != NULL;
         at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
        size_t length = strcspn(at, ",");
        size_t id = 0;

        while (id < FINDING_ID_COUNT && (strlen(finding_types[id].word) != length ||
                                         strncmp(at, finding_types[id].word, length) != 0))
            id++;
        if (id == FINDING_ID_COUNT) {
            ctl_complain("--ignore takes names of findings with commas between them; "
                         "docs/doctor.md lists them");
            return -1;
        }
    }
    return 0;
}
