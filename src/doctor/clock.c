#include "doctor/clock.h"

#ifdef __linux__
#include <sys/timex.h>
#endif

/* Whoever keeps the clock (systemd-timesyncd, chrony, ntpd) tells the kernel so. */
void clock_examine(struct findings *findings)
{
#ifdef __linux__
    struct timex clock = {.modes = 0};

    if (adjtimex(&clock) >= 0) {
        if ((clock.status & STA_UNSYNC) != 0)
            findings_add(findings, FINDING_CLOCK, NULL, "apt-get install systemd-timesyncd",
                         "nothing synchronises this machine's clock: when it has drifted by half a "
                         "minute, logins are refused as expired or early");
        return;
    }
#endif
    findings_add(findings, FINDING_COULD_NOT_JUDGE, NULL, "compare the clock with another",
                 "whether this machine's clock is synchronised is not known here");
}
