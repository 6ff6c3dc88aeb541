#include "phase.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int phase_parse(char *text, struct phase *phase_r)
{
    char *at = strchr(text, '@');
    char *file = strchr(text, '=');

    *phase_r = (struct phase){.word = text};
    if (strcmp(text, "alone") == 0)
        return 0;
    if (strcmp(text, "pipeline") == 0) {
        phase_r->rate = INFINITY;
        return 0;
    }
    if (file != NULL) {
        const char *slash = strrchr(file, '/');

        phase_r->file = file + 1;
        phase_r->word = slash == NULL ? file + 1 : slash + 1;
        return strncmp(text, "reload=", 7) == 0 ? 0 : -1;
    }
    if (at == NULL)
        return -1;
    *at = '\0';
    phase_r->rate = strtod(at + 1, NULL);
    return phase_r->rate > 0 ? flood_kind_find(text, &phase_r->kind) : -1;
}

int phase_reload(const struct phase *phase, const char *configuration, pid_t server)
{
    char fresh[512];

    snprintf(fresh, sizeof(fresh), "%s.fresh", configuration);
    unlink(fresh);
    if (link(phase->file, fresh) != 0 || rename(fresh, configuration) != 0) {
        perror(phase->file);
        return -1;
    }
    unlink(fresh); /* rename() leaves it where both are one file already */
    return kill(server, SIGHUP);
}
