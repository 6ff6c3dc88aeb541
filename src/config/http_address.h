/* The value of [http] listen. */
#ifndef CONFIG_HTTP_ADDRESS_H
#define CONFIG_HTTP_ADDRESS_H

#include "base/arena.h"
#include "config/settings.h"

/*
 * Parses HOST:PORT with HOST a loopback address (127.x.x.x, [::1], or localhost for 127.0.0.1), or
 * unix:PATH; empty: none. What it needs is taken from the arena. Returns NULL, or (the address
 * untouched) static words that say what a right value is.
 */
const char *http_address_parse(const char *text, struct arena *arena, struct http_address *address);

/* Writes it as in a file. Returns text_r. */
const char *http_address_format(const struct http_address *address, char *text_r, size_t size);

#endif
