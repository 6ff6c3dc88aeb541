/* What every examination has at hand, and the checks that chat servers have in common. */
#ifndef DOCTOR_EXAMINATION_H
#define DOCTOR_EXAMINATION_H

#include "config/config.h"
#include "doctor/findings.h"
#include "doctor/server_user.h"

/* How a chat server asks for one of its hosts: what a round trip goes through. */
struct route {
    const char *host;
    const char *command; /* for a shell; NULL: the server asks the socket itself */
    const char *socket;  /* where command is NULL */
    bool lines;          /* the generic framing, else ejabberd's */
    struct place place;  /* of the setting that says so */
    struct route *next;
};

struct examination {
    struct findings *findings;
    const struct config *config;    /* the daemon's; NULL: it can't be read */
    const char *server;             /* the chat server's name, for sentences */
    const char *process;            /* what its process's name begins with */
    const char *unit;               /* its systemd unit's file name */
    const char *relay;              /* where xmpp-extauth is */
    const struct server_user *user; /* it runs as; NULL: there is no such user */
    struct route *routes;           /* found so far */
    int64_t connections;            /* to the daemon, all hosts together */
};

/* Whether the daemon's configuration has a section for this very domain. */
bool examination_has_host(const struct examination *examination, const char *domain);

/* Adds that something could not be judged, and why. */
__attribute__((format(printf, 3, 4))) void examination_pass(struct examination *examination,
                                                            const struct place *place,
                                                            const char *format, ...);

/* Whether the daemon serves a host that asks it; adds a finding where not. */
void examination_check_host(struct examination *examination, const char *domain,
                            const struct place *place);

/* Adds a finding for each host of the daemon's that the server does not have, by the word of
 * has(). */
void examination_check_asked(struct examination *examination, const struct place *place,
                             bool (*has)(const void *context, const char *domain),
                             const void *context);

/* Whether the server's user can ask at a socket in the framing; adds a finding where not. */
void examination_check_socket(struct examination *examination, const char *path, bool lines,
                              const struct place *place);

/* Whether the server's user can run a program; adds a finding where not. False: it can't. */
bool examination_check_program(struct examination *examination, const char *path,
                               const struct place *place);

/* Adds a route for the round trip, and its connections to the sum. */
void examination_add_route(struct examination *examination, const struct route *route,
                           int64_t connections);

/* Whether all connections together find room in the daemon; adds a finding where not. */
void examination_check_connections(struct examination *examination, const struct place *place);

#endif
