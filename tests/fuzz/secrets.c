/* Any bytes as a web application's secrets.cfg: two secrets that stand in it, or a reason why not that repeats neither. */
#include <string.h>

#include "config/secrets_file.h"
#include "expect.h"
#include "memory_file.h"

/* The terminated secret is a part of the file. */
static void expect_from(const struct secret *secret, const uint8_t *data, size_t size)
{
    EXPECT(secret->bytes != NULL && secret->size > 0);
    EXPECT(memmem(data, size, secret->bytes, secret->size) != NULL);
}

static void expect_silence(const struct problems *problems, const struct secret *secret)
{
    static const char confidential[] = "PLUGHXYZZY";

    /* Any other may be words of the complaint. */
    if (secret->bytes == NULL ||
        memmem(secret->bytes, secret->size, confidential, sizeof(confidential) - 1) == NULL)
        return;
    for (size_t i = 0; i < problems_count(problems); i++)
        EXPECT(memmem(problems_at(problems, i)->text, strlen(problems_at(problems, i)->text),
                      secret->bytes, secret->size) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problems *problems = problems_create();
    struct key_values values = {0};
    struct stat status;

    EXPECT(problems != NULL);
    if (secrets_file_read(memory_file(data, size), problems, "xmpp-authd.conf", 1, &values,
                          &status) == 0) {
        expect_from(&values.otp_seed, data, size);
        expect_from(&values.token_secret, data, size);
    } else {
        EXPECT(problems_have_error(problems));
    }
    expect_silence(problems, &values.otp_seed);
    expect_silence(problems, &values.token_secret);
    secret_clear(&values.otp_seed);
    secret_clear(&values.token_secret);
    problems_destroy(&problems);
    return 0;
}
