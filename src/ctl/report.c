#include "ctl/report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

/* Outlives main(): stdio looks at it once more when the process exits. */
static char output_buffer[BUFSIZ];

static char *held;
static size_t held_size;

void ctl_hold_complaints(char *buffer, size_t size)
{
    held = buffer;
    held_size = size;
}

void ctl_complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    if (held != NULL) {
        /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): as below */
        vsnprintf(held, held_size, format, arguments);
        va_end(arguments);
        return;
    }
    fputs("xmpp-authctl: ", stderr);
    /* clang-tidy 14 no longer knows va_start() in the second file of one run. */
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

void ctl_output_begin(void)
{
    setvbuf(stdout, output_buffer, _IOFBF, sizeof(output_buffer));
}

int ctl_output_end(void)
{
    bool failed = fflush(stdout) != 0 || ferror(stdout);
    int cause = errno;

    OPENSSL_cleanse(output_buffer, sizeof(output_buffer));
    if (!failed)
        return 0;
    ctl_complain("writing to standard output failed: %s", strerror(cause));
    return -1;
}
