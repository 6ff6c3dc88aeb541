#include <stdio.h>

#include "config/config.h"
#include "config/value.h"

static void dump_header(const struct section *section, FILE *stream)
{
    fprintf(stream, "[%s", section_types[section->kind].word);
    for (size_t i = 0; i < section_types[section->kind].names; i++)
        fprintf(stream, " %s", section->names[i]);
    fputs("]\n", stream);
}

/* A secret that does not stand here came from a file, or there is none; a path without a default
 * that does not has an address in its place. */
static bool is_dumped(const struct setting *setting, const struct section *section)
{
    bool is_optional = setting->kind == VALUE_SECRET ||
                       (setting->kind == VALUE_SOCKET_PATH && setting->initial == NULL);

    return setting->section == section->kind &&
           (!is_optional || section_sets(section, setting->name));
}

static void dump_section(const struct config *config, const struct section *section, FILE *stream)
{
    const struct key_fingerprint *fingerprint = config_section_fingerprint(config, section);
    char text[VALUE_TEXT_SIZE];

    dump_header(section, stream);
    if (fingerprint != NULL)
        fprintf(stream, "# key fingerprint %s\n", fingerprint->text);
    for (size_t i = 0; i < setting_count; i++) {
        if (is_dumped(&settings[i], section))
            fprintf(stream, "%s = %s\n", settings[i].name,
                    value_format(&settings[i], section->values, text));
    }
}

void config_dump(const struct config *config, FILE *stream)
{
    for (const struct section *section = config->sections.first; section != NULL;
         section = section->next) {
        if (section != config->sections.first)
            fputc('\n', stream);
        dump_section(config, section, stream);
    }
}
