#include "doctor/shell_words.h"

#include <stdbool.h>
#include <string.h>

/* Copies one word, quotes taken off; the position behind it, or NULL. */
static const char *take_word(const char *at, char **to, const char *end)
{
    static const char special[] = "\\$`|&;<>()*?[]#~!{}\n";
    char quote = '\0';

    for (; *at != '\0' && (quote != '\0' || (*at != ' ' && *at != '\t')); at++) {
        if (quote == '\0' && (*at == '"' || *at == '\''))
            quote = *at;
        else if (*at == quote)
            quote = '\0';
        else if ((quote == '\0' && strchr(special, *at) != NULL) ||
                 (quote == '"' && strchr("\\$`", *at) != NULL) || *to + 1 >= end)
            return NULL;
        else
            *(*to)++ = *at;
    }
    if (*to >= end)
        return NULL;
    *(*to)++ = '\0';
    return quote == '\0' ? at : NULL;
}

int shell_words_split(struct shell_words *words_r, const char *text)
{
    char *to = words_r->text;

    words_r->count = 0;
    for (;;) {
        text += strspn(text, " \t");
        if (*text == '\0')
            return 0;
        if (words_r->count == SHELL_WORDS_MAX)
            return -1;
        words_r->words[words_r->count++] = to;
        text = take_word(text, &to, words_r->text + sizeof(words_r->text));
        if (text == NULL)
            return -1;
    }
}
