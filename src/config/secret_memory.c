#include "config/secret_memory.h"

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>

#include "config/ini.h"
#include "config/settings.h"
#include "token/hash.h"

/* The heap hands out powers of two, this the least. */
enum { BLOCK_MIN = 16 };

/* The password of a Redis, what is decoded in passing, OpenSSL's random numbers. */
enum { OTHER_BYTES = 8192 };

/* The configuration in use, and one of twice its size that takes its place. */
enum { CONFIGURATIONS = 3 };

static struct {
    enum secret_memory memory;
    size_t size;
} state;

static size_t round_up(size_t size)
{
    size_t block = BLOCK_MIN;

    while (block < size)
        block *= 2;
    return block;
}

static bool begins_with(const char *line, size_t length, const char *word)
{
    return length > strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

static bool is_secret(const char *line, size_t length)
{
    for (size_t i = 0; i < setting_count; i++) {
        if (settings[i].kind == VALUE_SECRET && begins_with(line, length, settings[i].name))
            return true;
    }
    return false;
}

/* Of a value: what follows the first = or : and blanks. */
static size_t value_length(const char *line, size_t length)
{
    size_t start = 0;

    while (start < length && line[start] != '=' && line[start] != ':')
        start++;
    for (start++; start < length && (line[start] == ' ' || line[start] == '\t'); start++)
        ;
    return start < length ? length - start : 0;
}

/* What the secrets of a file need, be its lines right or wrong. */
struct need {
    size_t bytes;    /* for the secrets as they are written */
    size_t secrets;  /* that hashes are keyed with */
    bool has_v2;     /* a key of its own is made of the others */
    bool has_sha512; /* whose state is the largest */
};

static bool holds_word(const char *line, size_t length, const char *word)
{
    return memmem(line, length, word, strlen(word)) != NULL;
}

static void add_line(struct need *need, const char *line, size_t length)
{
    if (is_secret(line, length)) {
        need->bytes += round_up(value_length(line, length));
        need->secrets++;
    } else if (begins_with(line, length, "secrets_file")) {
        need->bytes += 2 * round_up(INI_LINE_MAX);
        need->secrets += 2;
    }
    need->has_v2 |= begins_with(line, length, "accept") && holds_word(line, length, "v2");
    need->has_sha512 |= holds_word(line, length, "sha512");
}

/* Which host a line belongs to is not known here: what one host sets, all may. */
static size_t bytes_of(const struct need *need)
{
    size_t hashes = need->secrets * (need->has_v2 ? 2 : 1);
    size_t size = hash_size(need->has_sha512 ? HASH_SHA512 : HASH_SHA256);

    /* An HMAC keeps two states. */
    return need->bytes + hashes * round_up(2 * size);
}

static size_t need_of_file(const struct source_file *file)
{
    const char *line = file->text;
    const char *end = file->text + file->size;
    struct need need = {0};

    while (line < end) {
        const char *line_end = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((line_end == NULL ? end : line_end) - line);

        /* A longer one is refused. */
        if (length <= INI_LINE_MAX)
            add_line(&need, line, length);
        line += length + 1;
    }
    return bytes_of(&need);
}

static void set_aside(size_t need)
{
    static const enum secret_memory outcomes[] = {SECRET_MEMORY_ORDINARY, SECRET_MEMORY_LOCKED,
                                                  SECRET_MEMORY_UNLOCKED};
    size_t size = round_up(CONFIGURATIONS * need + OTHER_BYTES);
    int outcome = CRYPTO_secure_malloc_init(size, BLOCK_MIN);

    state.memory = outcome < 0 || outcome > 2 ? SECRET_MEMORY_ORDINARY : outcomes[outcome];
    state.size = state.memory == SECRET_MEMORY_ORDINARY ? 0 : size;
}

int secret_memory_reserve(const struct source_file *file)
{
    static bool is_done;
    size_t need = need_of_file(file);

    if (!is_done)
        set_aside(need);
    is_done = true;
    return state.size == 0 || CRYPTO_secure_used() + need <= state.size ? 0 : -1;
}

enum secret_memory secret_memory_state(void)
{
    return state.memory;
}

size_t secret_memory_size(void)
{
    return state.size;
}
