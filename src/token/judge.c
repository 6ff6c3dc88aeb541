#include "token/judge.h"

#include <string.h>

#include "base/moment.h"

/*
 * v2 and JSXC's tokens are filed under the step in which they end. That is written in the token, so
 * no change of a setting moves it, and a step that is closed lies behind every token that is still
 * good. Their steps' length is fixed for the same reason: steps of one length never overlap.
 */
enum { V2_INTERVAL = 30, JSXC_INTERVAL = 60 };

/* The journal has ten bits for a window. */
_Static_assert((V2_LIFETIME_MAX + TOKEN_REACH_MAX) / V2_INTERVAL + 2 < 1 << 10, "v2 fits a record");
_Static_assert((JSXC_LIFETIME_MAX + TOKEN_REACH_MAX) / JSXC_INTERVAL + 2 < 1 << 10,
               "JSXC's fits a record");

enum token_kind token_kind_of(const char *password, size_t length)
{
    if (length > 0 && password[0] == 'v')
        return TOKEN_V2;
    if (length > 0 && password[0] == 'A')
        return TOKEN_JSXC;
    return TOKEN_V1;
}

bool token_kind_is_accepted(enum token_kind kind, const struct token_format *format)
{
    switch (kind) {
    case TOKEN_V2:
        return format->accepts_v2;
    case TOKEN_JSXC:
        return format->accepts_jsxc;
    case TOKEN_V1:
        break;
    }
    return !format->refuses_v1;
}

/* By how many seconds a minter's clock may be ahead: as with v1. */
static int64_t lead_of(const struct token_format *format)
{
    return (int64_t)format->window * format->interval;
}

struct token_steps token_steps_of(enum token_kind kind, const struct token_format *format)
{
    struct token_steps steps = {.interval = format->interval, .lead = format->window};

    if (kind == TOKEN_V1)
        return steps;
    steps.interval = kind == TOKEN_V2 ? V2_INTERVAL : JSXC_INTERVAL;
    steps.lead = (unsigned)((lead_of(format) + steps.interval - 1) / steps.interval);
    return steps;
}

/* The time in which a token is good, and what it is known by. */
struct span {
    int64_t issued; /* as far as it tells */
    int64_t from;
    int64_t until; /* exclusive */
    int64_t named; /* the end that stands in it: no setting changes that; not before until */
};

/* The time check, and how the token is filed: its window reaches back to the earliest moment at
 * which it may have been spent. */
static void judge_time(enum token_kind kind, const struct token_format *format,
                       const struct span *span, int64_t seconds, struct token_verdict *verdict)
{
    int64_t interval = token_steps_of(kind, format).interval;
    int64_t step = floor_divide(span->named, interval);

    verdict->reason = REASON_ALLOWED;
    if (seconds < span->from)
        verdict->reason = REASON_EARLY;
    else if (seconds >= span->until)
        verdict->reason = REASON_EXPIRED;
    verdict->clock_offset = span->issued - seconds;
    verdict->steps = (struct otp_match){.first = step, .last = step};
    verdict->interval = (unsigned)interval;
    verdict->window = (unsigned)(step - floor_divide(span->from, interval));
    verdict->good_until = span->until;
}

/* The key of that name, or the first where there is none: then its signature is computed for
 * nothing, so that the time taken does not tell. */
static size_t find_key(const struct judge_keys *keys, struct text name, bool *found_r)
{
    *found_r = false;
    for (size_t i = 0; i < keys->count; i++) {
        if (memcmp(keys->names[i].text, name.bytes, name.length) == 0) {
            *found_r = true;
            return i;
        }
    }
    return 0;
}

static void judge_v2(const struct judge_keys *keys, const struct token_format *format,
                     const struct claim *claim, int64_t seconds, struct token_verdict *verdict)
{
    const struct text user = {claim->user, claim->user_length};
    const struct text host = {claim->host, claim->host_length};
    struct token_v2 token;
    struct span span;
    bool found, fits;

    if (token_v2_parse(claim->password, claim->password_length, &token) != 0)
        return;
    verdict->reason = REASON_FORGED;
    if (keys->count == 0)
        return;
    claim_expect(claim, token.signature);
    verdict->key = find_key(keys, token.fields[V2_KEY], &found);
    if (token_v2_sign(keys->keys[verdict->key], &token, user, host, verdict->signature) != 0)
        return;
    fits = hash_is_same(verdict->signature, token.signature, V2_SIGNATURE_SIZE);
    if (!found || !fits)
        return;
    span.issued = token.issued;
    span.from = token.issued - lead_of(format);
    span.named = token.issued + token.lifetime;
    span.until = token.issued +
                 (token.lifetime < format->max_lifetime ? token.lifetime : format->max_lifetime);
    judge_time(TOKEN_V2, format, &span, seconds, verdict);
    if (!token_key_in_date(keys->keys[verdict->key], seconds))
        verdict->reason = REASON_KEY_RETIRED;
}

static void judge_jsxc(const struct judge_keys *keys, const struct token_format *format,
                       const struct claim *claim, int64_t seconds, struct token_verdict *verdict)
{
    const struct text user = {claim->user, claim->user_length};
    const struct text host = {claim->host, claim->host_length};
    struct jsxc_token token;
    struct span span;

    if (jsxc_token_parse(claim->password, claim->password_length, &token) != 0)
        return;
    verdict->reason = REASON_FORGED;
    verdict->key = TOKEN_KEY_NONE;
    claim_expect(claim, token.mac);
    if (keys->jsxc == NULL || !jsxc_token_fits(keys->jsxc, &token, user, host, verdict->signature))
        return;
    span.issued = token.expiry - format->jsxc_max_lifetime;
    span.from = span.issued - lead_of(format);
    span.until = span.named = token.expiry;
    judge_time(TOKEN_JSXC, format, &span, seconds, verdict);
}

void token_judge(const struct judge_keys *keys, const struct token_format *format,
                 const struct claim *claim, int64_t seconds, struct token_verdict *verdict_r)
{
    enum token_kind kind = token_kind_of(claim->password, claim->password_length);

    *verdict_r = (struct token_verdict){.reason = REASON_MALFORMED, .kind = kind};
    if (!token_kind_is_accepted(kind, format))
        return;
    if (kind == TOKEN_V2)
        judge_v2(keys, format, claim, seconds, verdict_r);
    else if (kind == TOKEN_JSXC)
        judge_jsxc(keys, format, claim, seconds, verdict_r);
    else
        token_verify(keys->keys, keys->count, format, claim, seconds, verdict_r);
}
