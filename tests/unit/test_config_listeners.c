/* Where the daemon listens: no path and no group is taken twice or for granted, across all kinds of sockets. */
#include "test_config_rules.h"

#define HOST "[host example.org]\n" GOOD_KEY

static void each_socket_has_a_path_and_a_group_of_its_own(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        const char *problem; /* a part of the only one; NULL: it loads */
    } rows[] = {
        {"one of each",
         HOST "[listen web]\nprotocol = http\npath = /run/w\n[http]\nlisten = unix:/run/h\n", NULL},
        {"metrics where chat servers ask",
         HOST "[server]\nlisten = /run/a\n[http]\nlisten = unix:/run/a\n",
         "is another listener's already"},
        {"metrics where chat servers ask by HTTP",
         HOST "[listen web]\nprotocol = http\npath = /run/w\n[http]\nlisten = unix:/run/w\n",
         "is another listener's already"},
        {"two that speak HTTP",
         HOST "[listen web]\nprotocol = http\npath = /run/w\n[listen net]\nprotocol = http\npath = "
              "/run/w\n",
         "is another listener's already"},
        {"a group for metrics that is none",
         HOST "[http]\nlisten = unix:/run/h\ngroup = no-such-group\n",
         "names a group that does not exist"},
        {"no socket at all", HOST "[server]\nlisten =\n", "listen takes an absolute path"},
        {"one without a path", HOST "[listen web]\npath =\n", "path takes an absolute path"},
        {"one without an address", HOST "[listen web]\nprotocol = http\naddress =\n",
         "path is missing, and so is address"},
        {"a bad address", HOST "[listen web]\nprotocol = http\naddress = here\n",
         "address takes an address and port"},
        {"no directory", HOST "[state]\ndir =\n", "dir takes an absolute path"},
        {"the control socket beside the first", HOST "[control]\nlisten =\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct problems *problems = problems_create();
        struct config *config = load_text(rows[i].text, problems);
        const char *said_of_it =
            problems_count(problems) == 1 ? problems_at(problems, 0)->text : "";

        expect((config == NULL) == (rows[i].problem != NULL), "%s: %s", rows[i].name, said_of_it);
        expect(rows[i].problem == NULL || strstr(said_of_it, rows[i].problem) != NULL, "%s: '%s'",
               rows[i].name, said_of_it);
        config_destroy(&config);
        problems_destroy(&problems);
    }
}

static void users_who_are_listed_twice_are_listed(void **state)
{
    static const char *const names[] = {"alice", "bob", "carol"};
    char users[FILE_PATH_SIZE], text[1024];
    struct config *config;

    (void)state;
    write_text(users, "alice\nALICE\nalice\n  # nobody\nbob@example.org\nbob@example.org\n");
    snprintf(text, sizeof(text), HOST "isuser = file:%s\n", users);
    config = good_config(text);
    unlink(users);
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        bool is_listed =
            user_list_holds(&config->hosts[0].users, names[i], strlen(names[i]), "example.org", 11);

        expect(is_listed == (i < 2), "%s", names[i]);
    }
    config_destroy(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_socket_has_a_path_and_a_group_of_its_own),
        cmocka_unit_test(users_who_are_listed_twice_are_listed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
