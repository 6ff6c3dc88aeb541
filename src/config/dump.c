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

static void dump_section(const struct config *config, const struct section *section, FILE *stream)
{
    const struct key_fingerprint *fingerprint = config_section_fingerprint(config, section);
    char text[VALUE_TEXT_SIZE];

    dump_header(section, stream);
    if (fingerprint != NULL)
        fprintf(stream, "# key fingerprint %s\n", fingerprint->text);
    for (size_t i = 0; i < setting_count; i++) {
        /* A secret that does not stand here came from a file, or there is none. */
        if (settings[i].section == section->kind &&
            (settings[i].kind != VALUE_SECRET || section_sets(section, settings[i].name)))
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
