/* What the unit tests of the configuration's rules share: whole configurations from their text, and
 * keys that differ by a letter. */
#ifndef UNIT_TEST_CONFIG_RULES_H
#define UNIT_TEST_CONFIG_RULES_H

#include "test_config_files.h"

#include "config/config.h"

#define SECRET_OF(letter) "token_secret = " letter "T4mW9xQz2Lr7VbN5kYc8HdJ\n"
#define SEED_OF(letter)   "otp_seed = " letter "FZWIZTHNBVGW3DRO5SXE5DZOVUW64DB\n"
#define KEY_OF(letter)    SEED_OF(letter) SECRET_OF(letter)

/* The configuration of a text, or NULL where it has errors; problems gets what is said of it. Its
 * file is gone. */
static inline struct config *load_text(const char *text, struct problems *problems)
{
    char path[FILE_PATH_SIZE];
    struct config *config = config_load(write_text(path, text), problems);

    unlink(path);
    return config;
}

/* The configuration of a text that has no errors. */
static inline struct config *good_config(const char *text)
{
    struct problems *problems = problems_create();
    struct config *config = load_text(text, problems);

    expect(config != NULL, "%s", problems_at(problems, 0)->text);
    problems_destroy(&problems);
    return config;
}

#endif
