#include "base/prepared_name.h"

#include <stdbool.h>
#include <string.h>

#ifdef HAVE_ICU
#include <unicode/usprep.h>
#include <unicode/ustring.h>
#endif

static bool is_ascii(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)text[i] >= 0x80)
            return false;
    }
    return true;
}

/* All that either profile changes in ASCII. */
static void fold_ascii(const char *text, size_t length, char *name_r)
{
    for (size_t i = 0; i < length; i++) {
        char letter = text[i];

        if (letter >= 'A' && letter <= 'Z')
            letter = (char)(letter - 'A' + 'a');
        name_r[i] = letter;
    }
    name_r[length] = '\0';
}

#ifdef HAVE_ICU

enum { UNITS_MAX = PREPARED_NAME_MAX + 1 };

/* Servers let through what Unicode has got since: a name that they ask about can be denied. */
static enum name_fault prepare_units(UStringPrepProfileType profile_type, const UChar *units,
                                     int32_t count, UChar *prepared_r, int32_t *count_r)
{
    UErrorCode error = U_ZERO_ERROR;
    UStringPrepProfile *profile = usprep_openByType(profile_type, &error);

    if (U_FAILURE(error))
        return NAME_IS_FORBIDDEN;
    *count_r = usprep_prepare(profile, units, count, prepared_r, UNITS_MAX, USPREP_ALLOW_UNASSIGNED,
                              NULL, &error);
    usprep_close(profile);
    if (error == U_BUFFER_OVERFLOW_ERROR)
        return NAME_IS_TOO_LONG;
    return U_FAILURE(error) ? NAME_IS_FORBIDDEN : NAME_IS_RIGHT;
}

static enum name_fault prepare_unicode(bool is_user, const char *text, size_t length, char *name_r,
                                       size_t *length_r)
{
    UStringPrepProfileType profile = is_user ? USPREP_RFC3920_NODEPREP : USPREP_RFC3491_NAMEPREP;
    UChar units[UNITS_MAX], prepared[UNITS_MAX];
    UErrorCode error = U_ZERO_ERROR;
    int32_t count = 0;
    int32_t size = 0;
    enum name_fault fault;

    u_strFromUTF8(units, UNITS_MAX, &count, text, (int32_t)length, &error);
    if (U_FAILURE(error))
        return NAME_IS_NOT_UTF8;
    fault = prepare_units(profile, units, count, prepared, &count);
    if (fault != NAME_IS_RIGHT)
        return fault;
    u_strToUTF8(name_r, PREPARED_NAME_SIZE, &size, prepared, count, &error);
    if (U_FAILURE(error) || size > PREPARED_NAME_MAX)
        return NAME_IS_TOO_LONG;
    name_r[size] = '\0';
    *length_r = (size_t)size;
    return NAME_IS_RIGHT;
}

#else

static enum name_fault prepare_unicode(bool is_user, const char *text, size_t length, char *name_r,
                                       size_t *length_r)
{
    (void)is_user;
    (void)text;
    (void)length;
    (void)name_r;
    (void)length_r;
    return NAME_IS_NOT_ASCII;
}

#endif

/* What nodeprep prohibits in ASCII (RFC 3920, A.5), and NUL; no host has any of it either. */
static bool has_forbidden(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)name[i];

        if (byte <= 0x20 || byte == 0x7f || strchr("\"&'/:<>@", byte) != NULL)
            return true;
    }
    return false;
}

static enum name_fault prepare(bool is_user, const char *text, size_t length, char *name_r)
{
    enum name_fault fault = NAME_IS_RIGHT;

    if (length == 0)
        return NAME_IS_EMPTY;
    if (length > PREPARED_NAME_MAX)
        return NAME_IS_TOO_LONG;
    if (is_ascii(text, length))
        fold_ascii(text, length, name_r);
    else
        fault = prepare_unicode(is_user, text, length, name_r, &length);
    if (fault != NAME_IS_RIGHT)
        return fault;
    if (length == 0)
        return NAME_IS_EMPTY;
    return has_forbidden(name_r, length) ? NAME_IS_FORBIDDEN : NAME_IS_RIGHT;
}

enum name_fault prepared_user(const char *text, size_t length, char name_r[PREPARED_NAME_SIZE])
{
    return prepare(true, text, length, name_r);
}

enum name_fault prepared_host(const char *text, size_t length, char name_r[PREPARED_NAME_SIZE])
{
    return prepare(false, text, length, name_r);
}
