/* What a web application answers a chat client: {"jid": "USER@HOST", "password": "TOKEN"}. */
#ifndef DOCTOR_CREDENTIALS_H
#define DOCTOR_CREDENTIALS_H

#include <stddef.h>

enum { CREDENTIALS_JID_MAX = 3072, CREDENTIALS_PASSWORD_MAX = 8192 };

struct credentials {
    char jid[CREDENTIALS_JID_MAX];
    char password[CREDENTIALS_PASSWORD_MAX];
};

/*
 * Takes length bytes of JSON apart, any bytes, by libjansson. Returns NULL; or what is wrong, static
 * words that hold nothing of it. What was decoded on the way is wiped; credentials_r is the
 * caller's to wipe.
 */
__attribute__((warn_unused_result)) const char *
credentials_parse(const char *json, size_t length, struct credentials *credentials_r);

#endif
