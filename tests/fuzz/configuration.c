/*
 * Any bytes as xmpp-authd.conf: it is loaded and printed, or refused with a reason. Where a line's value holds the word below,
 * no complaint repeats it: a value may be a secret.
 */
#include <stdbool.h>
#include <string.h>

#include "config/config.h"
#include "expect.h"
#include "memory_file.h"

static const char confidential[] = "PLUGHXYZZY";

enum { CONFIDENTIAL_LENGTH = sizeof(confidential) - 1 };

/* Every place where the word stands is behind the name of a secret. */
static bool is_in_secrets_alone(const char *text, size_t size)
{
    const char *line = text;
    const char *end = text + size;
    bool found = false;

    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop != NULL ? stop : end) - line);

        if (memmem(line, length, confidential, CONFIDENTIAL_LENGTH) != NULL) {
            found = true;
            if (length < 15 ||
                (memcmp(line, "token_secret = ", 15) != 0 && memcmp(line, "otp_seed = ", 11) != 0))
                return false;
        }
        line += length + 1;
    }
    return found;
}

static void expect_reasons(const struct problems *problems, bool is_confidential)
{
    for (size_t i = 0; i < problems_count(problems); i++) {
        const char *text = problems_at(problems, i)->text;

        EXPECT(strchr(text, ':') != NULL);
        EXPECT(!is_confidential || strstr(text, confidential) == NULL);
    }
}

static void expect_masked(const struct config *config, bool is_confidential)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);

    EXPECT(stream != NULL);
    config_dump(config, stream);
    fclose(stream);
    EXPECT(!is_confidential || memmem(text, size, confidential, CONFIDENTIAL_LENGTH) == NULL);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_confidential = is_in_secrets_alone((const char *)data, size);
    struct problems *problems = problems_create();
    struct config *config;

    EXPECT(problems != NULL);
    config = config_load(memory_file(data, size), problems);
    EXPECT((config == NULL) == problems_have_error(problems));
    expect_reasons(problems, is_confidential);
    if (config != NULL) {
        EXPECT(config->host_count > 0 && config->listener_count > 0);
        expect_masked(config, is_confidential);
        EXPECT(config_may_replace(config, config, problems));
    }
    config_destroy(&config);
    problems_destroy(&problems);
    return 0;
}
