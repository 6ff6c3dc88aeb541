#include "daemon/opening.h"

#include "token/judge.h"

static int64_t host_opens(const struct host *host, const struct spent_store *store,
                          struct moment now)
{
    static const enum token_kind kinds[] = {TOKEN_V1, TOKEN_V2, TOKEN_JSXC};
    int64_t latest = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct token_steps steps = token_steps_of(kinds[i], &host->format);
        int64_t opens = 0;

        if (token_kind_is_accepted(kinds[i], &host->format))
            opens = spent_store_opens(store,
                                      &(struct spend){.interval = steps.interval,
                                                      .window = steps.lead,
                                                      .reach = host->reach[kinds[i]],
                                                      .timeline = kinds[i]},
                                      now);
        latest = opens > latest ? opens : latest;
    }
    return latest;
}

int64_t opening_time(const struct config *config, const struct spent_store *store,
                     struct moment now)
{
    int64_t latest = 0;

    for (size_t i = 0; i < config->host_count; i++) {
        int64_t opens = host_opens(&config->hosts[i], store, now);

        latest = opens > latest ? opens : latest;
    }
    return latest;
}
