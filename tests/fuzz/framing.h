/* What holds for the questions of every framing. */
#ifndef FUZZ_FRAMING_H
#define FUZZ_FRAMING_H

#include "wire/protocol.h"

/*
 * Takes any bytes for what a client sent, the first of them for the longest request allowed: frames them, and expects that
 * framing a part never says other than framing the whole, that every frame lies within the bytes, and that no question breaks
 * the rules of its fields.
 */
void fuzz_framing(const struct protocol *protocol, const uint8_t *data, size_t size);

#endif
