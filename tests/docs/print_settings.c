/* Prints the table of settings, one a line: section, name, kind, default (or -), bounds, choices,
 * whether a reload can't change it; tabs between. What the tests hold the documents against. */
#include <inttypes.h>
#include <stdio.h>

#include "config/settings.h"

static const char *const kinds[] = {
    [VALUE_TEXT] = "text",     [VALUE_PATH] = "path",     [VALUE_SOCKET_PATH] = "path",
    [VALUE_NUMBER] = "number", [VALUE_SIZE] = "size",     [VALUE_DURATION] = "duration",
    [VALUE_MODE] = "mode",     [VALUE_CHOICE] = "choice", [VALUE_NAMES] = "names",
    [VALUE_SECRET] = "secret", [VALUE_TIME] = "time",     [VALUE_IS_USER] = "isuser",
    [VALUE_SECRETS] = "path",  [VALUE_STORE] = "store",   [VALUE_HTTP] = "http",
};

int main(void)
{
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting *setting = &settings[i];

        printf("%s\t%s\t%s\t%s\t%" PRId64 "\t%" PRId64 "\t", section_types[setting->section].form,
               setting->name, kinds[setting->kind],
               setting->initial == NULL ? "-" : setting->initial, setting->minimum,
               setting->maximum);
        for (size_t k = 0; setting->choices != NULL && setting->choices[k] != NULL; k++)
            printf("%s%s", k > 0 ? " " : "", setting->choices[k]);
        printf("\t%s\n", setting->restart ? "restart" : "reload");
    }
    return 0;
}
