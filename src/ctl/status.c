/* status: what the daemon says of itself on its control socket, for a person or for a script. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/command.h"
#include "ctl/control.h"
#include "ctl/report.h"
#include "ctl/status_report.h"
#include "ctl/status_text.h"

static void print_daemon(const struct status_report *report)
{
    char uptime[STATUS_TEXT_SIZE];
    bool trouble;

    printf("xmpp-authd %s: %s, for %s, since %s, process %" PRIu64 "\n", report->version,
           text_of_state(report, &trouble), text_of_seconds(report->uptime_s, uptime),
           report->started, report->pid);
    if (report->failure[0] != '\0')
        printf("  spent tokens can't be recorded: %s\n", report->failure);
    if (report->opens[0] != '\0')
        printf("  tokens minted before %s are refused\n", report->opens);
    if (report->reload_failed)
        puts("  the configuration was refused at the last reload, and the old one is in force");
    if (report->unshared > 0)
        printf("  denials that other daemons do not know of yet: %" PRIu64 "\n", report->unshared);
}

static void print_counts(const struct status_report *report)
{
    char pending[STATUS_TEXT_SIZE];
    char memory[STATUS_TEXT_SIZE];

    printf("\n  clients    %" PRIu64 " of %" PRIu64 "; %" PRIu64 " so far, %" PRIu64
           " of them refused; %s pending\n",
           report->clients, report->clients_max, report->accepted, report->refused,
           text_of_bytes(report->pending_bytes, pending));
    printf("  replay     %" PRIu64 " spent tokens, %s; store %s, %" PRIu64 " errors\n",
           report->spent, text_of_bytes(report->memory, memory), report->store,
           report->store_errors);
    printf("  users      %" PRIu64 " seen, %" PRIu64 " denied; last verdicts on %" PRIu64
           " remembered\n",
           report->seen, report->denied, report->remembered);
    printf("  hosts      %" PRIu64 "; %" PRIu64 " reloads, %" PRIu64 " refused\n", report->hosts,
           report->reloads, report->failed_reloads);
}

static void print_latency(const struct status_report *report)
{
    char half[STATUS_TEXT_SIZE];
    char most[STATUS_TEXT_SIZE];

    if (report->bucket_count > 0)
        printf("  decisions  half within %s, 99 in 100 within %s\n",
               text_of_microseconds(status_report_quantile(report, NULL, 0.5), half),
               text_of_microseconds(status_report_quantile(report, NULL, 0.99), most));
}

static void print_verdicts(const char *about, const uint64_t *counts)
{
    for (size_t i = 0; i < REASON_COUNT; i++) {
        size_t at = (i + REASON_ALLOWED) % REASON_COUNT; /* what is best first */

        if (counts[at] == 0)
            continue;
        if (about != NULL)
            printf("\n%s\n", about);
        about = NULL;
        printf("  %-12s %12" PRIu64 "\n", reason_word((enum reason)at), counts[at]);
    }
}

static void print_hosts(const struct status_report *report)
{
    char clock[STATUS_TEXT_SIZE];

    if (report->listed_count == 0)
        return;
    printf("\n%-30s %10s %10s %10s  %s\n", "host", "allowed", "denied", "undecided",
           "minter's clock");
    for (size_t i = 0; i < report->listed_count; i++) {
        const struct report_host *host = &report->listed[i];

        printf("%-30s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "  %s\n", host->name, host->allowed,
               host->denied, host->undecided, text_of_clock(host, clock));
    }
}

static enum ctl_status show(const char *answer)
{
    struct status_report *report = malloc(sizeof(*report));
    enum ctl_status status = CTL_ERROR;

    if (report == NULL) {
        ctl_complain("memory is short");
    } else if (status_report_read(report, answer) != 0) {
        ctl_complain("the daemon's answer is no status; --logfmt shows it as it is");
    } else {
        print_daemon(report);
        print_counts(report);
        print_latency(report);
        print_verdicts("logins", report->auth);
        print_verdicts("users asked about", report->is_user);
        print_hosts(report);
        status = CTL_YES;
    }
    free(report);
    return status;
}

static enum ctl_status run_status(struct arguments *arguments)
{
    enum ctl_status status;
    char *answer;

    if (arguments->values[OPTION_LOGFMT] != NULL)
        return control_askf(arguments, "status\n");
    answer = control_fetch_by(arguments, "status\n");
    if (answer == NULL)
        return CTL_ERROR;
    status = show(answer);
    free(answer);
    return status;
}

const struct command command_status = {
    .word = "status",
    .operands = "",
    .options = OPTION_BIT(OPTION_CONTROL) | OPTION_BIT(OPTION_LOGFMT),
    .meaning = "show the running daemon's state: clients, spent tokens, verdicts, hosts",
    .explanation =
        "Shows what the daemon says on its control socket. Only root and the daemon's own\n"
        "user may ask there. Of many hosts it shows those with the most logins.\n",
    .run = run_status,
};
