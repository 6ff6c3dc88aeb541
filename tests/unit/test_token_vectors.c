/* The published vectors, tests/vectors/token-v1.tsv, which another implementation made: checked
 * both ways. */
#include "vectors.h"

#include "base/number.h"

enum { COLUMN_COUNT = 13, LINE_MAX_LENGTH = 4096 };

static const char header[] = "name\totp_seed\ttoken_secret\tuser\thost\ttime\tnonce\totp_digits\t"
                             "interval\tnonce_digits\totp_hash\tsignature_hash\ttoken";

struct vector {
    const char *name, *seed, *secret, *user, *host, *nonce, *token;
    int64_t time;
    struct token_format format;
};

typedef void check_function(const struct vector *vector, struct token_key *key);

/* The file stands beside the tests, wherever the test is run from. */
static FILE *open_vectors(void)
{
    static const char *const paths[] = {"tests/vectors/token-v1.tsv",
                                        "../tests/vectors/token-v1.tsv", "../vectors/token-v1.tsv"};
    char beside[4096];
    FILE *file;

    snprintf(beside, sizeof(beside), "%.*s../vectors/token-v1.tsv",
             (int)(strlen(__FILE__) - strlen("test_token_vectors.c")), __FILE__);
    file = fopen(beside, "r");
    for (size_t i = 0; file == NULL && i < LENGTH_OF(paths); i++)
        file = fopen(paths[i], "r");
    expect(file != NULL, "tests/vectors/token-v1.tsv is not there");
    return file;
}

static int64_t number_in(const char *text)
{
    int64_t number;

    expect(number_parse(text, strlen(text), &number) == 0, "'%s' is no number", text);
    return number;
}

static enum hash hash_in(const char *word)
{
    for (enum hash hash = HASH_SHA1; hash < HASH_COUNT; hash++) {
        if (strcmp(word, hash_word(hash)) == 0)
            return hash;
    }
    fail_msg("'%s' is no hash", word);
    return HASH_COUNT;
}

static struct vector vector_in(char *line)
{
    char *columns[COLUMN_COUNT];
    size_t count = 0;

    for (char *rest = line, *column; (column = strsep(&rest, "\t")) != NULL; count++) {
        expect(count < COLUMN_COUNT, "%s has too many columns", line);
        columns[count] = column;
    }
    expect(count == COLUMN_COUNT, "%s has %zu columns", line, count);
    return (struct vector){.name = columns[0],
                           .seed = columns[1],
                           .secret = columns[2],
                           .user = columns[3],
                           .host = columns[4],
                           .time = number_in(columns[5]),
                           .nonce = columns[6],
                           .format = {.otp_digits = (unsigned)number_in(columns[7]),
                                      .interval = (unsigned)number_in(columns[8]),
                                      .nonce_digits = (unsigned)number_in(columns[9]),
                                      .window = 1,
                                      .otp_hash = hash_in(columns[10]),
                                      .signature_hash = hash_in(columns[11])},
                           .token = columns[12]};
}

static struct token_key *key_in(const struct vector *vector)
{
    uint8_t seed[BASE32_DECODED_SIZE(LINE_MAX_LENGTH)];
    struct token_key *key;
    size_t seed_size;

    expect(base32_decode(vector->seed, strlen(vector->seed), seed, &seed_size) == 0, "%s",
           vector->name);
    key = token_key_create(&vector->format, seed, seed_size, (const uint8_t *)vector->secret,
                           strlen(vector->secret), any_date);
    assert_non_null(key);
    return key;
}

static void for_each_vector(check_function *check)
{
    static char line[LINE_MAX_LENGTH];
    FILE *file = open_vectors();
    size_t count = 0;

    assert_non_null(fgets(line, sizeof(line), file));
    line[strcspn(line, "\n")] = '\0';
    assert_string_equal(line, header);
    while (fgets(line, sizeof(line), file) != NULL) {
        struct vector vector;
        struct token_key *key;

        expect(strchr(line, '\n') != NULL, "vector %zu is longer than %d", count, LINE_MAX_LENGTH);
        line[strcspn(line, "\n")] = '\0';
        vector = vector_in(line);
        key = key_in(&vector);
        check(&vector, key);
        token_key_destroy(&key);
        count++;
    }
    fclose(file);
    expect(count >= 20, "only %zu vectors", count);
}

static void check_minted(const struct vector *vector, struct token_key *key)
{
    char text[TOKEN_LENGTH_MAX + 1];

    expect(token_mint(key, &vector->format, vector->user, vector->host,
                      totp_step(vector->time, vector->format.interval), vector->nonce, text) == 0,
           "%s", vector->name);
    expect(strcmp(text, vector->token) == 0, "%s: '%s', not '%s'", vector->name, text,
           vector->token);
}

static void every_vector_is_minted_to_the_letter(void **state)
{
    (void)state;
    for_each_vector(check_minted);
}

static enum reason reason_of(const struct vector *vector, struct token_key *key, const char *user,
                             const char *host, const char *token)
{
    return verdict_of(key, &vector->format, user, host, token, vector->time).reason;
}

static void check_allowed(const struct vector *vector, struct token_key *key)
{
    enum reason reason = reason_of(vector, key, vector->user, vector->host, vector->token);

    expect(reason == REASON_ALLOWED, "%s: %s", vector->name, reason_word(reason));
}

static void every_vector_is_allowed_at_its_time(void **state)
{
    (void)state;
    for_each_vector(check_allowed);
}

static void check_other_names(const struct vector *vector, struct token_key *key)
{
    char user[LINE_MAX_LENGTH], host[LINE_MAX_LENGTH];
    enum reason reason;

    copy_text(user, vector->user);
    copy_text(host, vector->host);
    user[0] = user[0] == 'z' ? 'y' : 'z';
    reason = reason_of(vector, key, user, vector->host, vector->token);
    expect(reason == REASON_FORGED, "%s, another user: %s", vector->name, reason_word(reason));
    host[strlen(host) - 1] ^= 1;
    reason = reason_of(vector, key, vector->user, host, vector->token);
    expect(reason == REASON_FORGED, "%s, another host: %s", vector->name, reason_word(reason));
}

static void every_vector_is_denied_to_another_user_and_at_another_host(void **state)
{
    (void)state;
    for_each_vector(check_other_names);
}

static void check_other_digits(const struct vector *vector, struct token_key *key)
{
    size_t digits = vector->format.otp_digits + vector->format.nonce_digits;

    for (size_t at = 0; at < digits; at++) {
        char token[TOKEN_LENGTH_MAX + 1];
        enum reason reason;

        copy_text(token, vector->token);
        token[at] = (char)(token[at] == '9' ? '0' : token[at] + 1);
        reason = reason_of(vector, key, vector->user, vector->host, token);
        expect(reason == REASON_FORGED, "%s, digit %zu: %s", vector->name, at, reason_word(reason));
    }
}

static void every_vector_is_denied_with_any_digit_changed(void **state)
{
    (void)state;
    for_each_vector(check_other_digits);
}

static void check_other_signature(const struct vector *vector, struct token_key *key)
{
    size_t begin = vector->format.otp_digits + vector->format.nonce_digits + 1;

    for (size_t at = begin; vector->token[at] != '\0'; at++) {
        char token[TOKEN_LENGTH_MAX + 1];
        enum reason reason;

        copy_text(token, vector->token);
        token[at] = token[at] == 'A' ? 'B' : 'A';
        reason = reason_of(vector, key, vector->user, vector->host, token);
        expect(reason == REASON_FORGED || reason == REASON_MALFORMED, "%s, character %zu: %s",
               vector->name, at, reason_word(reason));
    }
}

static void every_vector_is_denied_with_any_character_of_the_signature_changed(void **state)
{
    (void)state;
    for_each_vector(check_other_signature);
}

static void check_other_time(const struct vector *vector, struct token_key *key)
{
    int64_t interval = vector->format.interval;

    for (int steps = -3; steps <= 3; steps++) {
        int64_t now = vector->time + steps * interval;
        enum reason reason =
            verdict_of(key, &vector->format, vector->user, vector->host, vector->token, now).reason;
        enum reason expected = steps < -1  ? REASON_EARLY
                               : steps > 1 ? REASON_EXPIRED
                                           : REASON_ALLOWED;

        /* Two vectors exist because their OTP recurs two steps later or earlier. */
        if (strstr(vector->name, "recurring-otp-81101790") != NULL)
            continue;
        expect(reason == expected, "%s, %d steps later: %s", vector->name, steps,
               reason_word(reason));
    }
}

static void every_vector_is_denied_two_steps_before_and_after(void **state)
{
    (void)state;
    for_each_vector(check_other_time);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_is_minted_to_the_letter),
        cmocka_unit_test(every_vector_is_allowed_at_its_time),
        cmocka_unit_test(every_vector_is_denied_to_another_user_and_at_another_host),
        cmocka_unit_test(every_vector_is_denied_with_any_digit_changed),
        cmocka_unit_test(every_vector_is_denied_with_any_character_of_the_signature_changed),
        cmocka_unit_test(every_vector_is_denied_two_steps_before_and_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
