#include "questions.h"

#include <stdlib.h>
#include <string.h>

static const struct framing framings[] = {
    {"generic", MINT_QUESTION_LENGTH + 1, 2, (const uint8_t *)"1\n"},
    {"ejabberd", MINT_QUESTION_LENGTH + 2, 4, (const uint8_t *)"\x00\x02\x00\x01"},
};

const struct framing *framing_find(const char *word)
{
    for (size_t i = 0; i < sizeof(framings) / sizeof(framings[0]); i++) {
        if (strcmp(framings[i].word, word) == 0)
            return &framings[i];
    }
    return NULL;
}

void framing_write(const struct framing *framing, const char text[MINT_QUESTION_LENGTH],
                   uint8_t *place_r)
{
    if (framing == &framings[0]) {
        memcpy(place_r, text, MINT_QUESTION_LENGTH);
        place_r[MINT_QUESTION_LENGTH] = '\n';
        return;
    }
    place_r[0] = MINT_QUESTION_LENGTH >> 8;
    place_r[1] = MINT_QUESTION_LENGTH & 0xff;
    memcpy(place_r + 2, text, MINT_QUESTION_LENGTH);
}

static int mint_all(uint8_t *bytes, const struct framing *framing, struct minter *minter,
                    size_t count)
{
    time_t now = time(NULL);
    struct minted minted = {0};

    for (size_t i = 0; i < count; i++) {
        if (minter_mint(minter, now, &minted) != 0)
            return -1;
        framing_write(framing, minted.question, bytes + i * framing->question_size);
    }
    return 0;
}

int question_set_fill(struct question_set *set_r, const struct framing *framing,
                      struct minter *minter, size_t count)
{
    uint8_t *bytes = malloc(count * framing->question_size);

    if (bytes == NULL || mint_all(bytes, framing, minter, count) != 0) {
        free(bytes);
        return -1;
    }
    *set_r = (struct question_set){.framing = framing, .bytes = bytes, .count = count};
    return 0;
}

void question_set_clear(struct question_set *set)
{
    free(set->bytes);
    *set = (struct question_set){0};
}
