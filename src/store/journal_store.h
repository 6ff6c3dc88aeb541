/* The index in memory answers, a journal remembers. */
#ifndef STORE_JOURNAL_STORE_H
#define STORE_JOURNAL_STORE_H

#include "store/spent_store.h"

/*
 * A store over the journal in a directory (borrowed; must outlive it). *incomplete_r: NULL, or why
 * the record may lack tokens spent before: then tokens minted up to now are refused, unless accept
 * says otherwise. NULL with errno where the journal can't be opened.
 */
struct spent_store *journal_store_create(int directory, struct moment now, bool accept,
                                         const char **incomplete_r);

#endif
