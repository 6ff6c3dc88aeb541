#include "daemon/verdict_book.h"

#include <string.h>

#include "daemon/log.h"
#include "token/verify.h"

int verdict_book_init(struct verdict_book *book, struct tally *tally)
{
    *book = (struct verdict_book){.tally = tally};
    verdict_log_init(&book->log);
    return flight_recorder_init(&book->recorder);
}

void verdict_book_deinit(struct verdict_book *book)
{
    flight_recorder_deinit(&book->recorder);
}

/* --- the minters' clocks */

static void warn_of_clock(const struct tally_rest *row, const struct token_format *format)
{
    const struct clock_watch *watch = &row->clock.watch;
    int64_t zone = time_zone_offset(watch->offset, format);
    struct log_line line;

    log_begin(&line, LOG_LEVEL_WARNING, "minter-clock");
    logfmt_text(&line.fields, "host", row->name);
    logfmt_number(&line.fields, "clock_offset_s", watch->offset);
    if (zone != 0)
        logfmt_number(&line.fields, "time_zone_bug_s", zone);
    logfmt_number(&line.fields, "tokens", watch->tokens);
    logfmt_number(&line.fields, "users", watch->users);
    logfmt_text(&line.fields, "advice",
                zone != 0 ? "the minter takes UTC for local time, or the other way round: give it "
                            "the time of day with its zone"
                          : "set the clocks of the minter and of this machine (NTP)");
    log_end(&line, LOG_LEVEL_WARNING);
}

static void note_stale(const struct verdict_facts *facts, uint64_t user)
{
    const struct clock_evidence evidence = {.user = user,
                                            .token = facts->token,
                                            .offset = facts->clock_offset,
                                            .at = facts->now.boot_ms / 1000};
    int64_t tolerance = (int64_t)(facts->format->window + 1) * facts->format->interval;
    struct tally_clock *clock = &facts->row->rest->clock;
    enum clock_news news = clock_watch_stale(&clock->watch, &evidence, tolerance);

    facts->row->clock_is_watched = true;
    clock->measured = facts->clock_offset;
    clock->measured_at = moment_seconds(facts->now);
    if (news == CLOCK_NO_NEWS)
        return;
    clock->confirmed = clock->watch.offset;
    clock->confirmed_at = moment_seconds(facts->now);
    if (news == CLOCK_WARN)
        warn_of_clock(facts->row->rest, facts->format);
}

static void note_good(struct tally_host *row)
{
    struct tally_clock *clock = &row->rest->clock;
    enum clock_news news;
    struct log_line line;

    /* Most hosts' watch is idle, and far away. */
    if (!row->clock_is_watched)
        return;
    news = clock_watch_good(&clock->watch);
    row->clock_is_watched = !clock_watch_is_idle(&clock->watch);
    if (news == CLOCK_NO_NEWS)
        return;
    clock->confirmed = 0;
    clock->confirmed_at = 0;
    if (news != CLOCK_CLEAR)
        return;
    log_begin(&line, LOG_LEVEL_INFO, "minter-clock-recovered");
    logfmt_text(&line.fields, "host", row->rest->name);
    log_end(&line, LOG_LEVEL_INFO);
}

/* --- entries */

uint64_t verdict_book_expect(const struct verdict_book *book, const struct question *question)
{
    char jid[BARE_JID_MAX];
    uint64_t user;

    if (question->user_length == 0)
        return 0;
    user = flight_recorder_user(&book->recorder, jid, question_bare_jid(question, jid));
    flight_recorder_prefetch(&book->recorder, user);
    return user;
}

static struct verdict_note note_of(struct verdict_book *book, const struct verdict_facts *facts)
{
    return (struct verdict_note){
        .asked = facts->now,
        .row = facts->row,
        .key = facts->key,
        .user = facts->user,
        .clock_offset = (int32_t)facts->clock_offset,
        .line = verdict_log_prepare(&book->log, facts),
        .question = facts->question->kind,
        .is_genuine = facts->is_genuine,
    };
}

static void record(struct verdict_book *book, const struct verdict_note *note, enum reason reason)
{
    uint32_t seconds = (uint32_t)moment_seconds(note->asked);
    const struct flight_record record = {.first = seconds,
                                         .last = seconds,
                                         .times = 1,
                                         .clock_offset = note->clock_offset,
                                         .key = note->key == NULL ? 0 : note->key->id,
                                         .reason = (uint8_t)reason,
                                         .question = (uint8_t)note->question,
                                         .is_genuine = note->is_genuine};

    if (note->user != 0)
        flight_recorder_add(&book->recorder, note->user, &record);
}

static void enter(struct verdict_book *book, const struct verdict_note *note, enum reason reason)
{
    struct tally_host *row = note->row;

    tally_count(book->tally, row, note->question == QUESTION_IS_USER, reason);
    if (note->key != NULL) {
        tally_note_genuine(note->key, moment_seconds(note->asked));
        if (reason == REASON_ALLOWED)
            tally_note_use(note->key, moment_seconds(note->asked));
    }
    if (note->is_genuine && reason == REASON_ALLOWED && !row->is_removed)
        note_good(row);
    record(book, note, reason);
    /* A row that a reload took away may be freed before the sums are written. */
    verdict_log_conclude(&book->log, note->line, row != NULL && row->is_removed ? NULL : row,
                         reason);
}

void verdict_book_enter(struct verdict_book *book, const struct verdict_facts *facts,
                        enum reason reason)
{
    const struct verdict_note note = note_of(book, facts);

    if (facts->key != NULL && facts->clock_offset != 0)
        note_stale(facts, note.user);
    enter(book, &note, reason);
    book->entered_at_once++;
    book->turn_began_ns = facts->now.boot_ns;
}

void verdict_book_note(struct verdict_book *book, const struct verdict_facts *facts,
                       struct verdict_note *note_r)
{
    *note_r = note_of(book, facts);
    tally_hold(note_r->row);
}

void verdict_book_conclude(struct verdict_book *book, struct verdict_note *note, enum reason reason)
{
    enter(book, note, reason);
    tally_release(&note->row);
}

void verdict_book_settle(struct verdict_book *book)
{
    verdict_log_write_sums(&book->log);
}

void verdict_book_end_turn(struct verdict_book *book, int64_t now_ns)
{
    if (book->entered_at_once > 0)
        tally_add_latency(book->tally, now_ns - book->turn_began_ns, book->entered_at_once);
    book->entered_at_once = 0;
}

void verdict_book_tick(struct verdict_book *book, struct moment now)
{
    verdict_log_flush(&book->log, now);
}
