/* Requests that are taken apart ahead: the same, in the same order, as one by one. */
#include "test_daemon_authority.h"

#include "daemon/foresight.h"

enum { HOSTS = MANY_HOSTS + 9, REQUESTS_MAX = 4 * FORESIGHT_PLACES, REQUEST_SIZE = 64 };

static void open_site(struct site *site, size_t hosts)
{
    static char text[HOSTS * 256];
    size_t length = 0;

    for (size_t i = 0; i < hosts; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "[host h%zu.example]\n" KEY_OF("A") "otp_interval = 30\n"
                                                                       "allow_weak_secrets = yes\n",
                                   i);
    site_open(site, text);
}

/* The host of a request: now and then the same as before it, and none that is served. */
static size_t host_of(size_t request)
{
    return (request - (request % 5 == 4)) * 31 % (HOSTS + 4);
}

/* So many lines, of lengths of all kinds, and a piece of one more. */
static size_t write_requests(char *text_r, size_t count, size_t piece)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        if (i % 11 == 10)
            length += (size_t)sprintf(text_r + length, "what%zu\n", i);
        else
            length += (size_t)sprintf(text_r + length, "isuser:user%zu:h%zu.example\n", i * i,
                                      host_of(i));
    }
    memcpy(text_r + length, "isuser:a:b", piece);
    return length + piece;
}

static bool is_same(const struct question *one, const struct question *other)
{
    return one->kind == other->kind && one->user_length == other->user_length &&
           one->host_length == other->host_length &&
           (one->user_length == 0 || memcmp(one->user, other->user, one->user_length) == 0) &&
           (one->host_length == 0 || memcmp(one->host, other->host, one->host_length) == 0);
}

/* Holds each request against the one that the protocol finds in its place. */
static void compare_all(const struct site *site, const char *text, size_t size, bool looks_ahead)
{
    const uint8_t *at = (const uint8_t *)text;
    const uint8_t *end = at + size;
    struct foresight foresight;
    enum frame_status status;
    struct frame frame;

    foresight_begin(&foresight, site->authority, &protocol_generic, NULL, REQUEST_SIZE, at, size);
    do {
        const struct foreseen *next = foresight_next(&foresight);
        struct question question;
        const struct host *host;

        status = at == end
                     ? FRAME_INCOMPLETE
                     : protocol_generic.find_frame(at, (size_t)(end - at), REQUEST_SIZE, &frame);
        expect(next->status == status, "at byte %zu", (size_t)(at - (const uint8_t *)text));
        if (status != FRAME_COMPLETE)
            break;
        question = protocol_generic.understand(frame.text, frame.length, NULL, NULL);
        assert_int_equal(next->size, frame.size);
        assert_true(is_same(&next->question, &question));
        host = config_host(site->config, question.host, question.host_length);
        if (!looks_ahead)
            assert_null(next->host);
        else if (host != NULL)
            assert_ptr_equal(next->host, host);
        at += frame.size;
    } while (true);
}

static void requests_come_as_the_protocol_finds_them_one_by_one(void **state)
{
    /* The largest first: by it memory for secrets is set aside. */
    static const size_t hosts[] = {HOSTS, MANY_HOSTS, MANY_HOSTS - 1, 1};

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(hosts); i++) {
        struct site site;

        open_site(&site, hosts[i]);
        for (size_t count = 0; count <= REQUESTS_MAX; count++) {
            static char text[REQUESTS_MAX * REQUEST_SIZE];
            size_t size = write_requests(text, count, count % 11);
            char *copy = exact_copy(text, size);

            compare_all(&site, copy, size, hosts[i] >= MANY_HOSTS && size > 0);
            free(copy);
        }
        site_close(&site);
    }
}

static void a_request_that_is_too_long_ends_them_wherever_it_stands(void **state)
{
    struct site site;

    (void)state;
    open_site(&site, HOSTS);
    for (size_t count = 0; count <= REQUESTS_MAX; count++) {
        static char text[(REQUESTS_MAX + 3) * REQUEST_SIZE];
        size_t size = write_requests(text, count, 0);
        struct foresight foresight;

        memset(text + size, 'x', REQUEST_SIZE + 1);
        size += REQUEST_SIZE + 1;
        size += (size_t)sprintf(text + size, "\nisuser:a:h1.example\n");
        foresight_begin(&foresight, site.authority, &protocol_generic, NULL, REQUEST_SIZE,
                        (const uint8_t *)text, size);
        for (size_t i = 0; i < count; i++)
            expect(foresight_next(&foresight)->status == FRAME_COMPLETE, "%zu of %zu", i, count);
        expect(foresight_next(&foresight)->status == FRAME_TOO_LONG, "after %zu", count);
    }
    site_close(&site);
}

/* saslauthd's requests have the user's name in memory that is one for all of them: whoever sends two at
 * once must not be told of the one what was asked of the other. */
static void of_a_protocol_that_asks_once_each_request_keeps_its_own_user(void **state)
{
    static const char text[] = "\0\5alice\0\1x\0\4xmpp\0\0"
                               "\0\3bob\0\1y\0\4xmpp\0\0";
    struct foresight foresight;
    const struct foreseen *next;
    struct site site;

    (void)state;
    open_site(&site, HOSTS);
    foresight_begin(&foresight, site.authority, &protocol_saslauthd, "h1.example", REQUEST_SIZE,
                    (const uint8_t *)text, sizeof(text) - 1);
    next = foresight_next(&foresight);
    assert_int_equal(next->status, FRAME_COMPLETE);
    assert_int_equal(next->question.user_length, 5);
    assert_memory_equal(next->question.user, "alice", 5);
    next = foresight_next(&foresight);
    assert_int_equal(next->status, FRAME_COMPLETE);
    assert_int_equal(next->question.user_length, 3);
    assert_memory_equal(next->question.user, "bob", 3);
    site_close(&site);
}

static void a_host_that_was_not_foreseen_is_found_all_the_same(void **state)
{
    char token[TOKEN_LENGTH_MAX + 1];
    struct question question;
    struct site site;

    (void)state;
    open_site(&site, HOSTS);
    question = question_of(QUESTION_AUTH, "alice", "h70.example",
                           minted_by(&site, 0, "alice", "h70.example", 0, token));
    assert_int_equal(answer_to(&site, &question, at_second(1)), ANSWER_YES);
    question.host = "h71.example";
    assert_int_equal(answer_to(&site, &question, at_second(1)), ANSWER_NO);
    site_close(&site);
}

static void nothing_is_in_no_bytes(void **state)
{
    struct foresight foresight;
    struct site site;

    (void)state;
    open_site(&site, HOSTS);
    foresight_begin(&foresight, site.authority, NULL, NULL, REQUEST_SIZE, (const uint8_t *)"", 0);
    assert_int_equal(foresight_next(&foresight)->status, FRAME_INCOMPLETE);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_come_as_the_protocol_finds_them_one_by_one),
        cmocka_unit_test(a_request_that_is_too_long_ends_them_wherever_it_stands),
        cmocka_unit_test(of_a_protocol_that_asks_once_each_request_keeps_its_own_user),
        cmocka_unit_test(a_host_that_was_not_foreseen_is_found_all_the_same),
        cmocka_unit_test(nothing_is_in_no_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
