/*
 * What a chat server asks: a request's text, taken apart. Pure. Only `auth` and `isuser` can ever
 * be answered yes.
 *
 *     auth:USER:HOST:PASSWORD      tryregister:USER:HOST:PASSWORD   removeuser:USER:HOST
 *     isuser:USER:HOST             removeuser3:USER:HOST:PASSWORD   certauth:USER:HOST:CERT
 *     setpass:USER:HOST:PASSWORD   features:tryagain
 *
 * The password alone may hold colons.
 */
#ifndef WIRE_QUESTION_H
#define WIRE_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

enum question_kind {
    QUESTION_MALFORMED,   /* can't be understood, or a field breaks the rules */
    QUESTION_AUTH,        /* may this user log in with this password? */
    QUESTION_IS_USER,     /* is there such a user? */
    QUESTION_UNSUPPORTED, /* well formed, and never answered yes */
    QUESTION_TRY_AGAIN    /* features:tryagain: this client understands could-not-decide */
};

/* All pointers borrow from the parsed text; fields that a kind does not have are empty. */
struct question {
    enum question_kind kind;
    const char *user;
    size_t user_length;
    const char *host;
    size_t host_length;
    const char *password;
    size_t password_length;
};

/* A malformed question: without fields. */
extern const struct question question_malformed;

/* Whether length bytes hold NUL, CR, LF or any other control byte, which no field may. */
bool question_has_control_bytes(const char *text, size_t length);

/* Whether its user and host are names as below. Control bytes are not looked for. */
bool question_is_well_formed(const struct question *question);

/*
 * Takes length bytes apart, any bytes. Malformed are: an unknown command, a missing field, an empty
 * user or host, a user or host with @ or /, a host with a colon, and NUL, CR, LF or any other
 * control byte in any field. A malformed question has no fields.
 */
struct question question_parse(const char *text, size_t length);

enum { BARE_JID_MAX = 16384 };

/* Writes the USER@HOST of a question that has a user, as accounts are named; its length. Together
 * the names are shorter than a request. */
size_t question_bare_jid(const struct question *question, char jid_r[BARE_JID_MAX]);

/*
 * Whether a JID can have the user's name: RFC 6122 allows no `"`, `&`, `'`, `<`, `>` or blank in
 * one, so no client logs in with those. (`@`, `/` and `:` make a question malformed.)
 */
bool question_user_may_be(const struct question *question);

#endif
