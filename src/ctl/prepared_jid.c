#include "ctl/prepared_jid.h"

#include <stdbool.h>
#include <string.h>

#ifdef HAVE_ICU
#include <unicode/usprep.h>
#include <unicode/ustring.h>
#endif

#include "ctl/report.h"

struct part {
    char text[PREPARED_PART_MAX + 1]; /* terminated */
};

static const char shape[] = "a user is written USER@HOST, such as alice@example.org";
static const char forbidden[] = "USER@HOST holds a character that names can't have";
static const char too_long[] = "neither USER nor HOST may be longer than 1023 bytes";

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] >= 0x80)
            return false;
    }
    return true;
}

static const char *fold_ascii(const char *text, size_t length, struct part *part_r)
{
    for (size_t i = 0; i < length; i++) {
        char letter = text[i];

        part_r->text[i] = letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
    }
    part_r->text[length] = '\0';
    return NULL;
}

#ifdef HAVE_ICU

enum { UNITS_MAX = PREPARED_PART_MAX + 1 };

/* Servers let through what Unicode has got since: a name that they ask about can be denied. */
static bool prepare_units(UStringPrepProfileType profile_type, const UChar *units, int32_t count,
                          UChar *prepared_r, int32_t *count_r)
{
    UErrorCode error = U_ZERO_ERROR;
    UStringPrepProfile *profile = usprep_openByType(profile_type, &error);

    if (U_FAILURE(error))
        return false;
    *count_r = usprep_prepare(profile, units, count, prepared_r, UNITS_MAX, USPREP_ALLOW_UNASSIGNED,
                              NULL, &error);
    usprep_close(profile);
    return U_SUCCESS(error);
}

static const char *prepare_unicode(UStringPrepProfileType profile, const char *text, size_t length,
                                   struct part *part_r)
{
    UChar units[UNITS_MAX], prepared[UNITS_MAX];
    UErrorCode error = U_ZERO_ERROR;
    int32_t count = 0;
    int32_t size = 0;

    u_strFromUTF8(units, UNITS_MAX, &count, text, (int32_t)length, &error);
    if (U_FAILURE(error))
        return "USER@HOST is not UTF-8";
    if (!prepare_units(profile, units, count, prepared, &count))
        return forbidden;
    u_strToUTF8(part_r->text, sizeof(part_r->text), &size, prepared, count, &error);
    if (U_FAILURE(error) || size > PREPARED_PART_MAX)
        return too_long;
    part_r->text[size] = '\0';
    return NULL;
}

#endif

static const char *prepare(bool is_user, const char *text, size_t length, struct part *part_r)
{
    if (length == 0)
        return shape;
    if (length > PREPARED_PART_MAX)
        return too_long;
    if (is_ascii(text, length))
        return fold_ascii(text, length, part_r);
#ifdef HAVE_ICU
    return prepare_unicode(is_user ? USPREP_RFC3920_NODEPREP : USPREP_RFC3491_NAMEPREP, text,
                           length, part_r);
#else
    (void)is_user;
    return "this xmpp-authctl was built without ICU and takes names in ASCII alone";
#endif
}

/* What nodeprep prohibits in ASCII (RFC 3920, A.5); no host has any of it either. */
static bool has_forbidden(const struct part *part)
{
    for (const char *at = part->text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;

        if (byte <= 0x20 || byte == 0x7f || strchr("\"&'/:<>@", byte) != NULL)
            return true;
    }
    return false;
}

int prepared_jid_make(const char *text, size_t length, char jid_r[PREPARED_JID_SIZE],
                      const char **error_r)
{
    const char *at = memchr(text, '@', length);
    struct part user, host;
    const char *error;
    size_t user_length, host_length;

    if (at == NULL || memchr(text, '\0', length) != NULL) {
        *error_r = at == NULL ? shape : forbidden;
        return -1;
    }
    error = prepare(true, text, (size_t)(at - text), &user);
    if (error == NULL)
        error = prepare(false, at + 1, (size_t)(text + length - at - 1), &host);
    if (error == NULL && (user.text[0] == '\0' || host.text[0] == '\0'))
        error = shape;
    if (error == NULL && (has_forbidden(&user) || has_forbidden(&host)))
        error = forbidden;
    if (error != NULL) {
        *error_r = error;
        return -1;
    }
    user_length = strlen(user.text);
    host_length = strlen(host.text);
    memcpy(jid_r, user.text, user_length);
    jid_r[user_length] = '@';
    memcpy(jid_r + user_length + 1, host.text, host_length + 1);
    return 0;
}

int prepared_jid_take(const char *operand, char jid_r[PREPARED_JID_SIZE])
{
    const char *error;

    if (prepared_jid_make(operand, strlen(operand), jid_r, &error) != 0) {
        ctl_complain("%s", error);
        return -1;
    }
    if (strcmp(operand, jid_r) != 0)
        ctl_complain("note: chat servers ask about this user in another spelling, which is taken; "
                     "the answer shows it");
    return 0;
}
