#ifndef RELAY_REPORT_H
#define RELAY_REPORT_H

/*
 * The relay's log: syslog, facility daemon, name xmpp-extauth. (Not authpriv: nothing here is about
 * a user. The daemon logs verdicts; an outage must not look like failed logins to whatever watches
 * the authentication log.)
 *
 * What a client or a daemon sent is never part of a message.
 */

/* One thing that happens again and again. Each kind is logged at most once a minute; what was left
 * out is counted. */
enum relay_event {
    RELAY_EVENT_SETUP,       /* the relay can't work as it was called */
    RELAY_EVENT_UNREACHABLE, /* an outage begins */
    RELAY_EVENT_RECOVERED,   /* an outage is over */
    RELAY_EVENT_SILENT,      /* no answer in time */
    RELAY_EVENT_CLOSED,      /* the connection ended where an answer was due */
    RELAY_EVENT_GARBAGE,     /* something else came where an answer was due */
    RELAY_EVENT_UNSOLICITED, /* bytes came that nobody had asked for */
    RELAY_EVENT_REFUSED,     /* a question was denied unasked: overlong, empty, unframeable */
    RELAY_EVENT_TERMINAL,    /* a question on a terminal was left unanswered or dropped */
    RELAY_EVENT_COUNT,
};

/* Sends messages to this socket from now on; borrowed for good. The default is syslog's. */
void relay_report_to(const char *socket_path);

/*
 * Logs a message (printf format; cut at 400 bytes, control bytes replaced). Never blocks and never
 * fails: a message that can't be handed over at once is counted as left out.
 */
__attribute__((format(printf, 2, 3))) void relay_report(enum relay_event event, const char *format,
                                                        ...);

#endif
