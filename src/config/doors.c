#include "config/doors.h"

#include <string.h>

#include "config/hosts.h"

struct checker {
    const struct config *config;
    const struct section *section;
    struct problems *problems;
};

static void complain(const struct checker *checker, const char *setting, const char *complaint)
{
    problems_error(checker->problems, checker->config->path,
                   section_line_of(checker->section, setting), "%s %s", setting, complaint);
}

/* What is wrong with the host; NULL if nothing. */
static const char *host_complaint(const struct config *config, const struct listen_values *values)
{
    if (values->protocol != PROTOCOL_SASLAUTHD)
        return values->host == NULL ? NULL : "is for protocol = saslauthd: the others name a host";
    if (values->host == NULL)
        return "is missing: the saslauthd protocol names no host, so the listener must";
    if (config_host(config, values->host, strlen(values->host)) == NULL)
        return "names a domain that has no [host] section";
    return domain_complaint(values->host) == NULL
               ? NULL
               : "is no domain as chat servers ask about it: they ask in lower case";
}

static void check_network(const struct checker *checker, const struct listen_values *values)
{
    if (values->path != NULL)
        complain(checker, "address", "stands in the place of path: keep one");
    if (values->address.path != NULL)
        complain(checker, "address", "takes a loopback address; a Unix socket is set by path");
    if (values->http_user == NULL || strchr(values->http_user, ':') != NULL)
        complain(checker, "http_user",
                 values->http_user == NULL ? "is missing: whoever can log in to this machine can "
                                             "reach an address, so its clients need a password"
                                           : "can't hold a colon");
    if (values->http_password.bytes == NULL && !section_sets(checker->section, "http_password"))
        complain(checker, "http_password", "is missing; openssl rand -hex 16 makes a good one");
    if (values->access.allow_users.count > 0 || values->access.allow_groups.count > 0)
        complain(checker, "address",
                 "does not tell who a client is: allow_users and allow_groups need a path");
}

static bool has_address(const struct listen_values *values)
{
    return values->address.host != NULL || values->address.path != NULL;
}

/* Who may open a Unix socket is said by its mode and group. */
static void check_no_network(const struct checker *checker)
{
    static const char *const names[] = {"address", "http_user", "http_password"};
    const struct listen_values *values = checker->section->values;
    const bool set[] = {has_address(values), values->http_user != NULL,
                        values->http_password.bytes != NULL};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (set[i])
            complain(checker, names[i],
                     "is for protocol = http on a network address: a path has its mode and group");
    }
}

void doors_check(const struct config *config, struct problems *problems)
{
    for (const struct section *section = config->sections.first; section != NULL;
         section = section->next) {
        const struct checker checker = {config, section, problems};
        const struct listen_values *values = section->values;
        const char *complaint;

        if (section->kind != SECTION_LISTEN)
            continue;
        complaint = host_complaint(config, values);
        if (complaint != NULL)
            complain(&checker, "host", complaint);
        if (has_address(values) && values->protocol == PROTOCOL_HTTP)
            check_network(&checker, values);
        /* A bad address was complained of already. */
        else if (has_address(values) || values->path != NULL)
            check_no_network(&checker);
    }
}
