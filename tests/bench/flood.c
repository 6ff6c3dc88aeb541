#include "flood.h"

#include <string.h>
#include <time.h>

enum { STALE_SECONDS = 3600 };

static const char *const words[FLOOD_KINDS] = {
    "good", "forged", "stale", "replayed", "malformed-token", "malformed", "unknown-host"};

const char *flood_word(enum flood_kind kind)
{
    return words[kind];
}

int flood_kind_find(const char *word, enum flood_kind *kind_r)
{
    for (size_t i = 0; i < FLOOD_KINDS; i++) {
        if (strcmp(words[i], word) != 0)
            continue;
        *kind_r = (enum flood_kind)i;
        return 0;
    }
    return -1;
}

static void spoil(char question[MINT_QUESTION_LENGTH], enum flood_kind kind)
{
    char *token = question + MINT_QUESTION_LENGTH - MINT_TOKEN_LENGTH;
    char *signature = question + MINT_QUESTION_LENGTH - MINT_SIGNATURE_LENGTH;
    char *host = token - 1 - MINT_HOST_LENGTH;

    switch (kind) {
    case FLOOD_FORGED:
        signature[5] = signature[5] == 'A' ? 'B' : 'A';
        break;
    case FLOOD_MALFORMED_TOKEN:
        token[3] = 'x';
        break;
    case FLOOD_MALFORMED:
        memset(question, 'x', MINT_QUESTION_LENGTH);
        break;
    case FLOOD_UNKNOWN_HOST:
        host[0] = 'X';
        break;
    case FLOOD_GOOD:
    case FLOOD_STALE:
    case FLOOD_REPLAYED:
    case FLOOD_KINDS:
        break;
    }
}

int flood_mint(struct minter *minter, enum flood_kind kind, const struct framing *framing,
               uint8_t *frames_r, size_t count)
{
    time_t now = time(NULL) - (kind == FLOOD_STALE ? STALE_SECONDS : 0);
    struct minted minted = {0};

    for (size_t i = 0; i < count; i++) {
        if (minter_mint(minter, now, &minted) != 0)
            return -1;
        spoil(minted.question, kind);
        framing_write(framing, minted.question, frames_r + i * framing->question_size);
    }
    return 0;
}
