/* check-minter URL: what is wrong with a web application's credentials_url. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/moment.h"
#include "ctl/command.h"
#include "ctl/explain.h"
#include "ctl/finding_report.h"
#include "ctl/jid.h"
#include "ctl/key_source.h"
#include "ctl/presented_token.h"
#include "ctl/report.h"
#include "doctor/credentials.h"
#include "doctor/fetch.h"
#include "token/judge.h"

/* Two answers with a cookie, for no two may have the same token. */
enum { ANSWER_COUNT = 2 };

struct inspection {
    const struct arguments *arguments;
    const char *url;
    struct findings findings;
    struct key_source source;
    char line[REQUEST_MAX + 1];
    const char *cookie; /* in the line */
    struct fetched fetched;
    struct credentials answers[ANSWER_COUNT];
    bool has_answer[ANSWER_COUNT];
};

static void add(struct inspection *inspection, enum finding_id id, const char *mend,
                const char *text)
{
    findings_add(&inspection->findings, id, NULL, mend, "%s", text);
}

static bool fetch_it(struct inspection *inspection, const char *cookie)
{
    const char *why = fetch(inspection->url, cookie, inspection->arguments->values[OPTION_CACERT],
                            &inspection->fetched);

    if (why != NULL)
        findings_add(&inspection->findings, FINDING_MINTER_AWAY, NULL,
                     "look at the address, the web server, and its certificate (--cacert FILE "
                     "trusts one)",
                     "there is no answer: %s", why);
    return why == NULL;
}

static bool is_redirect(const struct inspection *inspection)
{
    return inspection->fetched.status >= 300 && inspection->fetched.status < 400;
}

static void check_redirect(struct inspection *inspection, const char *when)
{
    findings_add(
        &inspection->findings, FINDING_MINTER_REDIRECT, NULL,
        "answer 401 without a session, and the credentials with one",
        "the answer %s is a redirect (%ld): the chat client follows it, takes the page for "
        "credentials, and shows a spinner for ever",
        when, inspection->fetched.status);
}

/* Somebody who is not logged in. */
static bool check_stranger(struct inspection *inspection)
{
    static const char mend[] = "answer 401 without a session";
    struct credentials *credentials = &inspection->answers[0];

    if (!fetch_it(inspection, NULL))
        return false;
    if (is_redirect(inspection))
        check_redirect(inspection, "without a cookie");
    else if (inspection->fetched.status == 200 &&
             credentials_parse(inspection->fetched.body, inspection->fetched.size, credentials) ==
                 NULL)
        add(inspection, FINDING_MINTER_OPEN, mend,
            "without a cookie there are credentials all the same: anybody can log in");
    else if (inspection->fetched.status != 401)
        findings_add(&inspection->findings, FINDING_MINTER_NO_401, NULL, mend,
                     "the answer without a cookie is %ld, not 401: the chat client can't tell that "
                     "the session is over",
                     inspection->fetched.status);
    OPENSSL_cleanse(credentials, sizeof(*credentials));
    return true;
}

static void check_headers(struct inspection *inspection)
{
    if (!inspection->fetched.no_store)
        add(inspection, FINDING_MINTER_CACHEABLE, "Cache-Control: no-store",
            "the answer may be kept in caches: a token out of one is spent");
    if (inspection->fetched.cross_origin)
        add(inspection, FINDING_MINTER_CROSS_ORIGIN, "send no Access-Control-Allow-Origin",
            "the answer has a CORS header: scripts of other sites may read the token");
}

static void check_user(struct inspection *inspection, size_t which)
{
    const char *why;

    inspection->has_answer[which] = false;
    if (!fetch_it(inspection, inspection->cookie))
        return;
    if (is_redirect(inspection)) {
        check_redirect(inspection, "with the cookie");
        return;
    }
    if (inspection->fetched.status != 200) {
        findings_add(&inspection->findings, FINDING_MINTER_REFUSES, NULL,
                     "take the cookie of a session that is logged in, as the browser sends it: "
                     "NAME=VALUE",
                     "the answer with the cookie is %ld, not 200", inspection->fetched.status);
        return;
    }
    check_headers(inspection);
    why = credentials_parse(inspection->fetched.body, inspection->fetched.size,
                            &inspection->answers[which]);
    if (why != NULL)
        findings_add(&inspection->findings, FINDING_MINTER_SHAPE, NULL,
                     "{\"jid\": \"USER@HOST\", \"password\": \"TOKEN\"}",
                     "the answer is not what a chat client expects: %s", why);
    inspection->has_answer[which] = why == NULL;
}

/* How far the minter's clock can be seen to be off where the token counts all the same. */
static void check_offset(struct inspection *inspection, const struct token_verdict *verdict,
                         const struct host *host, int64_t began, int64_t ended)
{
    const int64_t interval = host->format.interval;
    const int64_t behind = began - ((verdict->steps.first + 1) * interval - 1);
    const int64_t ahead = verdict->steps.first * interval - ended;

    if (behind > 0)
        findings_add(&inspection->findings, FINDING_MINTER_CLOCK, NULL, "set both clocks (NTP)",
                     "the minter's clock is at least %lld s behind this one: its tokens are near "
                     "their end when they are minted",
                     (long long)behind);
    else if (ahead > 0)
        findings_add(&inspection->findings, FINDING_MINTER_CLOCK, NULL, "set both clocks (NTP)",
                     "the minter's clock is at least %lld s ahead of this one", (long long)ahead);
}

static void tell_key(struct inspection *inspection, const struct token_verdict *verdict,
                     const struct host *host)
{
    const struct key_fingerprint *fingerprint = inspection->source.config == NULL
                                                    ? &inspection->source.fingerprint
                                                    : &host->key_fingerprints[verdict->key];

    if (inspection->arguments->values[OPTION_LOGFMT] == NULL)
        printf("the minter's key is %s\n", fingerprint->text);
    else
        printf("minter_key=%s\n", fingerprint->text);
}

static void check_token(struct inspection *inspection, const struct jid *jid, const char *password,
                        int64_t began, int64_t ended)
{
    const struct host *host = key_source_host(&inspection->source, jid->host);
    const struct claim claim = {.user = jid->user,
                                .user_length = strlen(jid->user),
                                .host = jid->host,
                                .host_length = strlen(jid->host),
                                .password = password,
                                .password_length = strlen(password)};
    struct token_verdict verdict;
    char sentence[EXPLANATION_SIZE];

    if (host == NULL) {
        add(inspection, FINDING_HOST_NOT_SERVED, "add a [host] section, or mend the \"jid\"",
            explain_unknown_host(inspection->source.config, jid->host, sentence));
        return;
    }
    token_judge(
        &(struct judge_keys){host->keys, host->key_fingerprints, host->key_count, host->jsxc},
        &host->format, &claim, ended, &verdict);
    if (verdict.reason != REASON_MALFORMED && verdict.reason != REASON_FORGED &&
        verdict.key != TOKEN_KEY_NONE)
        tell_key(inspection, &verdict, host);
    if (verdict.reason == REASON_ALLOWED && verdict.kind == TOKEN_V1)
        check_offset(inspection, &verdict, host, began, ended);
    else if (verdict.reason != REASON_ALLOWED)
        findings_add(&inspection->findings,
                     verdict.reason == REASON_EXPIRED || verdict.reason == REASON_EARLY
                         ? FINDING_MINTER_CLOCK
                         : FINDING_MINTER_TOKEN,
                     NULL, "docs/token.md", "%s: %s", reason_word(verdict.reason),
                     explain_verdict(&verdict, host, password, strlen(password), ended, sentence));
}

/* Splits the JID in place. */
static bool check_jid(struct inspection *inspection, char *text, struct jid *jid_r)
{
    static const char mend[] = "\"jid\": \"USER@HOST\", in lower case and without a resource";
    char *at = strchr(text, '@');

    if (strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL) {
        add(inspection, FINDING_MINTER_JID, mend,
            "the \"jid\" holds upper case letters: chat servers ask in lower case, and a token "
            "counts for exactly the letters that it was made for");
        return false;
    }
    if (at != NULL) {
        *at = '\0';
        *jid_r = (struct jid){.user = text, .host = at + 1};
        if (jid_can_be_asked(jid_r))
            return true;
    }
    add(inspection, FINDING_MINTER_JID, mend,
        "the \"jid\" is no bare JID: a client and a token need USER@HOST");
    return false;
}

static void check_answers(struct inspection *inspection, int64_t began, int64_t ended)
{
    struct credentials *first = &inspection->answers[0];
    const struct credentials *second = &inspection->answers[1];
    struct jid jid;

    if (inspection->has_answer[0] && inspection->has_answer[1] &&
        strcmp(first->password, second->password) == 0)
        add(inspection, FINDING_MINTER_SAME_TOKEN, "mint for each request, with a random nonce",
            "two requests got the same token, and a token is good once");
    if (inspection->has_answer[0] && check_jid(inspection, first->jid, &jid))
        check_token(inspection, &jid, first->password, began, ended);
}

static void inspect(struct inspection *inspection)
{
    int64_t began, ended;

    if (!check_stranger(inspection))
        return;
    if (inspection->cookie[0] == '\0') {
        add(inspection, FINDING_COULD_NOT_JUDGE, "give a cookie on standard input",
            "there is no cookie: what a logged-in user gets was not looked at");
        return;
    }
    began = moment_seconds(moment_now());
    check_user(inspection, 0);
    ended = moment_seconds(moment_now());
    if (inspection->has_answer[0])
        check_user(inspection, 1);
    check_answers(inspection, began, ended);
}

/* Reads a line of standard input, which may be empty or missing. Returns its length. */
static size_t read_line(char *line_r, size_t room)
{
    size_t length = 0;
    char byte;

    while (length + 1 < room && read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
        line_r[length++] = byte;
    while (length > 0 && (line_r[length - 1] == '\r' || line_r[length - 1] == ' '))
        length--;
    line_r[length] = '\0';
    return length;
}

/* Takes the cookie, which may stand behind its header's name. */
static int take_cookie(struct inspection *inspection)
{
    static const char prompt[] = "cookie: ", header[] = "Cookie: ";
    size_t length;

    if (isatty(STDIN_FILENO) &&
        write(STDERR_FILENO, prompt, sizeof(prompt) - 1) != (ssize_t)sizeof(prompt) - 1)
        return -1;
    length = read_line(inspection->line, sizeof(inspection->line));
    inspection->cookie = inspection->line;
    if (strncmp(inspection->cookie, header, sizeof(header) - 1) == 0)
        inspection->cookie += sizeof(header) - 1;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)inspection->line[i] < 0x20) {
            ctl_complain("the cookie holds control characters");
            return -1;
        }
    }
    return 0;
}

static int check_arguments(const struct arguments *arguments)
{
    const char *secrets = arguments->values[OPTION_SECRETS];
    const char *url = arguments->operands[0];

    if (secrets != NULL && strcmp(secrets, "-") == 0) {
        ctl_complain("standard input is the cookie's: name a file with --secrets");
        return -1;
    }
    if (strncmp(url, "https://", 8) != 0 && strncmp(url, "http://", 7) != 0) {
        ctl_complain("the URL begins with https:// or http://");
        return -1;
    }
    return finding_report_check(arguments);
}

/* Whether a host of a URL, up to its port or path, is this machine. */
static bool is_local(const char *host)
{
    size_t length = strcspn(host, ":/?#");

    if (length == 9 && strncmp(host, "localhost", length) == 0)
        return true;
    return strncmp(host, "[::1]", 5) == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length);
}

/* What a cookie and a token travel through. */
static void check_encryption(struct inspection *inspection)
{
    static const char scheme[] = "http://";

    if (strncmp(inspection->url, scheme, sizeof(scheme) - 1) == 0 &&
        !is_local(inspection->url + sizeof(scheme) - 1))
        add(inspection, FINDING_MINTER_UNENCRYPTED, "serve it by https alone",
            "the URL is not encrypted: whoever reads cookie or token on the way can use them");
}

static enum ctl_status run_check_minter(struct arguments *arguments)
{
    struct inspection *inspection;
    enum ctl_status status = CTL_ERROR;

    if (check_arguments(arguments) != 0)
        return CTL_ERROR;
    inspection = calloc(1, sizeof(*inspection));
    if (inspection == NULL) {
        ctl_complain("memory is short");
        return CTL_ERROR;
    }
    inspection->arguments = arguments;
    inspection->url = arguments->operands[0];
    if (key_source_open(&inspection->source, arguments) == 0) {
        if (take_cookie(inspection) == 0) {
            check_encryption(inspection);
            inspect(inspection);
            status = finding_report_write(&inspection->findings, arguments, stdout);
        }
        key_source_close(&inspection->source);
    }
    findings_clear(&inspection->findings);
    OPENSSL_cleanse(inspection, sizeof(*inspection));
    free(inspection);
    return status;
}

const struct command command_check_minter = {
    .word = "check-minter",
    .operands = "URL",
    .operands_min = 1,
    .operands_max = 1,
    .options = OPTION_BIT(OPTION_SECRETS) | OPTION_BIT(OPTION_CACERT) | OPTION_BIT(OPTION_LOGFMT) |
               OPTION_BIT(OPTION_IGNORE),
    .meaning = "say what is wrong with a web application's credentials_url",
    .explanation =
        "Fetches the URL without a cookie, and twice with the one that is read from a line of\n"
        "standard input; judges the answers and the token, and prints no token. The daemon is not\n"
        "asked, and no token is spent. Exit status: 0 nothing is wrong, 1 something is, 2 it "
        "could\n"
        "not be examined, 3 nothing is wrong as far as could be judged.\n",
    .run = run_check_minter,
};
