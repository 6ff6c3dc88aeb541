/* What a reload may change: whatever only a restart can change is refused, and so is a format under
 * which an old token would be another user's. */
#include "test_config_rules.h"

#define HOST(name) "[host " name "]\n"
#define HOST_A     HOST("a.example") KEY_OF("A")
#define SERVER     "[server]\nlisten = /run/s.sock\n"
#define LISTEN_ONE "[listen one]\npath = /run/1.sock\n"
#define LISTEN_TWO "[listen two]\npath = /run/2.sock\nprotocol = http\n"
#define LISTEN_SIX "[listen six]\npath = /run/6.sock\nprotocol = http\n"
#define LISTEN_TEN "[listen ten]\npath = /run/10.sock\nprotocol = http\n"

#define NOT_BY_RELOAD(setting) setting " can't be changed by a reload: restart"
#define NEW_FORMAT                                                                                 \
    "otp_digits or nonce_digits changed under an unchanged token_secret: tokens of the one "       \
    "format would pass for another user's in the other; a new format takes a new key "             \
    "(xmpp-authctl keygen)"

/* What is said of a reload; lines is terminated by NULL. */
static void expect_reload(const char *name, const char *current_text, const char *next_text,
                          const char *const *lines)
{
    struct problems *problems = problems_create();
    struct config *current = good_config(current_text), *next = good_config(next_text);
    size_t count = 0;
    bool may = config_may_replace(current, next, problems);

    for (; lines[count] != NULL; count++) {
        expect(count < problems_count(problems), "%s: nothing is said of '%s'", name, lines[count]);
        expect(strcmp(said(problems, count), lines[count]) == 0, "%s: '%s', not '%s'", name,
               said(problems, count), lines[count]);
    }
    expect(problems_count(problems) == count, "%s: and '%s'", name, said(problems, count));
    expect(may == (count == 0), "%s", name);
    config_destroy(&current);
    config_destroy(&next);
    problems_destroy(&problems);
}

static void what_only_a_restart_can_change_is_refused(void **state)
{
    static const struct {
        const char *name, *current, *next;
        const char *problems[3];
    } rows[] = {
        {"nothing", SERVER HOST_A, SERVER HOST_A, {NULL}},
        {"the socket",
         SERVER HOST_A,
         "[server]\nlisten = /run/other.sock\n" HOST_A,
         {"2: " NOT_BY_RELOAD("listen")}},
        {"the socket, back to where it is by default",
         SERVER HOST_A,
         HOST_A,
         {" " NOT_BY_RELOAD("listen")}},
        {"the default spelled out",
         HOST_A,
         "[server]\nlisten = /run/xmpp-authd/auth.sock\n" HOST_A,
         {NULL}},
        {"two at once",
         SERVER HOST_A,
         SERVER "mode = 0600\n[state]\ndir = /var/lib/other\n" HOST_A,
         {"3: " NOT_BY_RELOAD("mode"), "5: " NOT_BY_RELOAD("dir")}},
        {"the store", HOST_A, "[replay]\nstore = memory\n" HOST_A, {"2: " NOT_BY_RELOAD("store")}},
        {"whether tokens from before the start count",
         HOST_A,
         "[replay]\nafter_restart = accept\n" HOST_A,
         {"2: " NOT_BY_RELOAD("after_restart")}},
        {"what may change",
         SERVER HOST_A,
         SERVER "max_connections = 77\n[log]\nlevel = debug\n" HOST_A,
         {NULL}},
        {"a host more and a host less", HOST_A, HOST("b.example") KEY_OF("B"), {NULL}},
        {"a listener more",
         SERVER HOST_A,
         SERVER LISTEN_ONE HOST_A,
         {"3: a listener can't be added by a reload: restart"}},
        {"a listener less",
         SERVER LISTEN_ONE HOST_A,
         SERVER HOST_A,
         {" a listener can't be removed by a reload: restart"}},
        {"a door for HTTP less",
         SERVER LISTEN_TWO HOST_A,
         SERVER HOST_A,
         {" a listener can't be removed by a reload: restart"}},
        {"a listener in place of another",
         SERVER LISTEN_ONE HOST_A,
         SERVER LISTEN_TWO HOST_A,
         {"3: a listener can't be added by a reload: restart"}},
        {"a listener's path",
         SERVER LISTEN_ONE HOST_A,
         SERVER "[listen one]\npath = /run/other.sock\n" HOST_A,
         {"4: " NOT_BY_RELOAD("path")}},
        {"the second listener's path",
         SERVER LISTEN_ONE LISTEN_TWO HOST_A,
         SERVER LISTEN_ONE "[listen two]\npath = /run/other.sock\nprotocol = http\n" HOST_A,
         {"6: " NOT_BY_RELOAD("path")}},
        {"listeners of both kinds in another order",
         SERVER LISTEN_ONE LISTEN_TWO HOST_A,
         SERVER LISTEN_TWO LISTEN_ONE HOST_A,
         {NULL}},
        {"the same listeners",
         SERVER LISTEN_ONE "[listen z]\npath = /run/z.sock\n" LISTEN_TWO LISTEN_SIX HOST_A,
         SERVER LISTEN_ONE "[listen z]\npath = /run/z.sock\n" LISTEN_TWO LISTEN_SIX HOST_A,
         {NULL}},
        {"listeners in another order",
         SERVER LISTEN_ONE "[listen z]\npath = /run/z.sock\n" HOST_A,
         SERVER "[listen z]\npath = /run/z.sock\n" LISTEN_ONE HOST_A,
         {" the order of [listen] sections can't be changed by a reload: restart"}},
        {"the last two doors for HTTP in another order",
         SERVER LISTEN_TWO LISTEN_SIX LISTEN_TEN HOST_A,
         SERVER LISTEN_TWO LISTEN_TEN LISTEN_SIX HOST_A,
         {" the order of [listen] sections can't be changed by a reload: restart"}},
        {"doors for HTTP in another order",
         SERVER LISTEN_TWO LISTEN_SIX HOST_A,
         SERVER LISTEN_SIX LISTEN_TWO HOST_A,
         {" the order of [listen] sections can't be changed by a reload: restart"}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect_reload(rows[i].name, rows[i].current, rows[i].next, rows[i].problems);
}

#define FEWER "nonce_digits = 31\n"
#define OTP_9 "otp_digits = 9\n"

/* `1admin` would take the digit from the own name to the end of the nonce. */
static void a_format_does_not_change_under_a_secret_wherever_the_secret_goes(void **state)
{
    static const struct {
        const char *name, *current, *next;
        const char *problems[3];
    } rows[] = {
        {"nothing", HOST_A, HOST_A, {NULL}},
        {"the nonce under the same secret",
         HOST_A,
         HOST("a.example") FEWER KEY_OF("A"),
         {"2: " NEW_FORMAT}},
        {"the OTP under the same secret",
         HOST_A,
         HOST("a.example") OTP_9 KEY_OF("A"),
         {"1: " NEW_FORMAT}},
        {"a digit from the nonce to the OTP",
         HOST_A,
         HOST("a.example") FEWER OTP_9 KEY_OF("A"),
         {"2: " NEW_FORMAT}},
        {"with another secret", HOST_A, HOST("a.example") FEWER KEY_OF("B"), {NULL}},
        {"with another seed alone",
         HOST_A,
         HOST("a.example") FEWER SEED_OF("B") SECRET_OF("A"),
         {"2: " NEW_FORMAT}},
        {"the secret goes on as the second key's",
         HOST_A,
         HOST("a.example") FEWER KEY_OF("B") "[key a.example x]\n" KEY_OF("A"),
         {"2: " NEW_FORMAT}},
        {"the secret was the second key's",
         HOST_A "[key a.example x]\n" KEY_OF("B"),
         HOST("a.example") FEWER KEY_OF("B"),
         {"2: " NEW_FORMAT}},
        {"the same secret at another domain", HOST_A, HOST("b.example") FEWER KEY_OF("A"), {NULL}},
        {"the second of two hosts",
         HOST("b.example") KEY_OF("B") HOST_A,
         HOST("b.example") KEY_OF("B") HOST("a.example") FEWER KEY_OF("A"),
         {"5: " NEW_FORMAT}},
        {"* under the same secret",
         HOST("*") KEY_OF("A"),
         HOST("*") FEWER KEY_OF("A"),
         {"2: " NEW_FORMAT}},
        {"a domain leaves *",
         HOST("*") KEY_OF("A"),
         HOST("*") KEY_OF("B") HOST("a.example") FEWER KEY_OF("A"),
         {"5: " NEW_FORMAT}},
        {"a domain leaves *, in its format",
         HOST("*") KEY_OF("A"),
         HOST("*") KEY_OF("B") HOST("a.example") KEY_OF("A"),
         {NULL}},
        {"a domain that had its own section takes the secret of *",
         HOST("*") KEY_OF("A") HOST("a.example") KEY_OF("B"),
         HOST("*") KEY_OF("C") HOST("a.example") FEWER KEY_OF("A"),
         {"5: " NEW_FORMAT}},
        {"a domain falls to *", HOST_A, HOST("*") FEWER KEY_OF("A"), {"2: " NEW_FORMAT}},
        {"the second of two domains falls to *",
         HOST("b.example") KEY_OF("B") HOST_A,
         HOST("b.example") KEY_OF("B") HOST("*") FEWER KEY_OF("A"),
         {"5: " NEW_FORMAT}},
        {"a domain falls to *, in its format", HOST_A, HOST("*") KEY_OF("A"), {NULL}},
        {"a domain goes, and * has another secret", HOST_A, HOST("*") FEWER KEY_OF("B"), {NULL}},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++)
        expect_reload(rows[i].name, rows[i].current, rows[i].next, rows[i].problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_only_a_restart_can_change_is_refused),
        cmocka_unit_test(a_format_does_not_change_under_a_secret_wherever_the_secret_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
