#include "daemon/process.h"

#include <sys/resource.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "config/secret_memory.h"
#include "daemon/log.h"

/* Listeners, control socket and its clients, the loop's own, files read by a reload. */
enum { OTHER_DESCRIPTORS = 64 };

void process_hide_memory(void)
{
    static const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
#ifdef __linux__
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

void process_report_secret_memory(void)
{
    struct log_line line;

    if (secret_memory_state() == SECRET_MEMORY_LOCKED)
        return;
    log_begin(&line, LOG_LEVEL_WARNING, "secrets-not-locked");
    logfmt_number(&line.fields, "kilobytes", (int64_t)(secret_memory_size() / 1024));
    logfmt_text(&line.fields, "effect", "secrets may be written to a swap device");
    logfmt_text(&line.fields, "advice",
                "raise LimitMEMLOCK (ulimit -l) to that at least, or encrypt the swap device");
    log_end(&line, LOG_LEVEL_WARNING);
}

void process_raise_descriptor_limit(int64_t connections)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)connections + OTHER_DESCRIPTORS;
    struct log_line line;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur =
        limit.rlim_max == RLIM_INFINITY || limit.rlim_max > wanted ? wanted : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted)
        return;
    log_begin(&line, LOG_LEVEL_WARNING, "few-descriptors");
    logfmt_number(&line.fields, "limit", (int64_t)limit.rlim_cur);
    logfmt_number(&line.fields, "wanted", (int64_t)wanted);
    logfmt_text(&line.fields, "advice", "raise LimitNOFILE or lower max_connections");
    log_end(&line, LOG_LEVEL_WARNING);
}
